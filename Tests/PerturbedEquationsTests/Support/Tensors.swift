import PerturbedEquations

/// θ and g of several tensors, in memory of their own, to lend to an optimizer.
final class Tensors<S: EquationScalar> {
    private let theta: [UnsafeMutableBufferPointer<S>]
    private let gradient: [UnsafeMutableBufferPointer<S>]
    /// Which tensors have a gradient in the next step.
    var hasGradient: [Bool]

    init(_ values: [[S]]) {
        func memory(_ values: [S]) -> UnsafeMutableBufferPointer<S> {
            let memory = UnsafeMutableBufferPointer<S>.allocate(capacity: max(values.count, 1))
            memory.initialize(repeating: 0)
            _ = memory.update(fromContentsOf: values)
            return UnsafeMutableBufferPointer(start: memory.baseAddress, count: values.count)
        }
        theta = values.map(memory)
        gradient = values.map { memory([S](repeating: 0, count: $0.count)) }
        hasGradient = values.map { _ in true }
    }

    convenience init(sizes: [Int], _ value: (Int, Int) -> S) {
        self.init(sizes.enumerated().map { tensor, n in (0..<n).map { value(tensor, $0) } })
    }

    deinit { for memory in theta + gradient { memory.baseAddress?.deallocate() } }

    /// θ of a tensor.
    subscript(tensor: Int) -> [S] {
        get { Array(theta[tensor]) }
        set { _ = theta[tensor].update(fromContentsOf: newValue) }
    }

    var all: [[S]] { theta.map { Array($0) } }

    /// The bits of every θ: unlike ==, this tells −0 from 0 and a NaN from another.
    var bits: [[UInt64]] { theta.map { $0.map(bitPattern) } }

    var sizes: [Int] { theta.map(\.count) }

    /// `p0`, `p1`, …, unless named.
    func specs(_ names: [String]? = nil) -> [ParameterSpec] {
        theta.indices.map {
            ParameterSpec(names?[$0] ?? "p\($0)", shape: [theta[$0].count], scalar: S.scalarType)
        }
    }

    /// Sets g from θ, tensor by tensor and element by element: `body(tensor, element, θ)`.
    func setGradient(_ body: (Int, Int, S) -> S) {
        for tensor in theta.indices {
            for i in theta[tensor].indices { gradient[tensor][i] = body(tensor, i, theta[tensor][i]) }
        }
    }

    func setGradient(_ values: [[S]]) {
        for tensor in theta.indices { _ = gradient[tensor].update(fromContentsOf: values[tensor]) }
    }

    var buffers: [ParameterBuffer] {
        theta.indices.map {
            ParameterBuffer(
                parameters: UnsafeMutableRawPointer(theta[$0].baseAddress!),
                gradient: hasGradient[$0] ? UnsafeRawPointer(gradient[$0].baseAddress!) : nil)
        }
    }
}

/// The bits of a float32 or float64.
func bitPattern<S: EquationScalar>(_ value: S) -> UInt64 {
    switch value {
    case let value as Float: UInt64(value.bitPattern)
    case let value as Double: value.bitPattern
    default: fatalError("no other scalar")
    }
}

extension PerturbedOptimizer {
    /// The bits of the state, by the name it is saved under.
    func stateBytes() throws -> [String: [UInt8]] {
        var result: [String: [UInt8]] = [:]
        for source in stateSources() where !source.name.hasPrefix("snapshot/") {
            var bytes: [UInt8] = []
            try source.bytes { bytes.append(contentsOf: $0) }
            result[source.name] = bytes
        }
        return result
    }
}
