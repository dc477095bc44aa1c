import PerturbedEquations

/// θ of several tensors as bfloat16, with a gradient of either type, to lend to an optimizer.
final class BFloat16Tensors {
    private let theta: [UnsafeMutableBufferPointer<UInt16>]
    private let narrow: [UnsafeMutableBufferPointer<UInt16>]
    private let wide: [UnsafeMutableBufferPointer<Float>]
    let gradientScalar: ScalarType

    init(sizes: [Int], gradient: ScalarType = .bfloat16, _ value: (Int, Int) -> Float) {
        func memory<T: BinaryInteger>(_ count: Int, _: T.Type) -> UnsafeMutableBufferPointer<T> {
            let memory = UnsafeMutableBufferPointer<T>.allocate(capacity: count + 1)
            memory.initialize(repeating: 0)
            // One element in: bfloat16 tensors need not be aligned to more than two bytes.
            return UnsafeMutableBufferPointer(rebasing: memory[1...])
        }
        theta = sizes.map { memory($0, UInt16.self) }
        narrow = sizes.map { memory($0, UInt16.self) }
        wide = sizes.map {
            let memory = UnsafeMutableBufferPointer<Float>.allocate(capacity: max($0, 1))
            memory.initialize(repeating: 0)
            return UnsafeMutableBufferPointer(start: memory.baseAddress, count: $0)
        }
        gradientScalar = gradient
        for tensor in sizes.indices {
            for i in 0..<sizes[tensor] { theta[tensor][i] = BFloat16(value(tensor, i)).bitPattern }
        }
    }

    deinit {
        for memory in theta + narrow { (memory.baseAddress! - 1).deallocate() }
        for memory in wide { memory.baseAddress!.deallocate() }
    }

    /// The bits of every θ.
    var bits: [[UInt16]] {
        get { theta.map { Array($0) } }
        set { for (memory, values) in zip(theta, newValue) { _ = memory.update(fromContentsOf: values) } }
    }

    /// θ as float32.
    var floats: [[Float]] { bits.map { $0.map { Float(BFloat16(bitPattern: $0)) } } }

    /// The gradient as the optimizer sees it.
    var gradient: [[Float]] {
        gradientScalar == .bfloat16
            ? narrow.map { $0.map { Float(BFloat16(bitPattern: $0)) } } : wide.map { Array($0) }
    }

    func setGradient(_ body: (Int, Int, Float) -> Float) {
        for tensor in theta.indices {
            for i in theta[tensor].indices {
                let value = body(tensor, i, Float(BFloat16(bitPattern: theta[tensor][i])))
                narrow[tensor][i] = BFloat16(value).bitPattern
                wide[tensor][i] = value
            }
        }
    }

    func specs(_ names: [String]? = nil, as scalar: ScalarType = .bfloat16) -> [ParameterSpec] {
        theta.indices.map {
            ParameterSpec(names?[$0] ?? "p\($0)", shape: [theta[$0].count], scalar: scalar)
        }
    }

    var buffers: [ParameterBuffer] {
        theta.indices.map { index in
            ParameterBuffer(
                parameters: UnsafeMutableRawPointer(theta[index].baseAddress!),
                gradient: gradientScalar == .bfloat16
                    ? UnsafeRawPointer(narrow[index].baseAddress!)
                    : UnsafeRawPointer(wide[index].baseAddress!),
                gradientScalar: gradientScalar)
        }
    }
}
