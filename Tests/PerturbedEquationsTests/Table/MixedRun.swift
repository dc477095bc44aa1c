import Foundation
import PerturbedEquations
import Safetensors

/// Bytes that are compared, and not printed.
struct Bits: Equatable, CustomStringConvertible {
    let bytes: [UInt8]

    var description: String { "\(bytes.count) bytes" }
}

/// A run over parameters of both scalar types, empty, of one element, unaligned and ordinary ones; its gradient
/// depends on nothing but θ and the step.
final class MixedRun {
    struct Tensor {
        let spec: ParameterSpec
        let theta: UnsafeMutableRawPointer
        let gradient: UnsafeMutableRawPointer
        fileprivate let memory: [UnsafeMutableRawPointer]

        var byteCount: Int { spec.count * spec.scalar.size }
    }

    /// name, elements, type, and whether the memory begins one element after a multiple of 64 bytes.
    typealias Shape = (name: String, count: Int, scalar: ScalarType, unaligned: Bool)

    static let shapes: [Shape] = [
        ("a.one", 1, .float32, false), ("a.none", 0, .float32, false), ("a.odd", 33, .float32, true),
        ("a.weight", 4500, .float32, false), ("b.one", 1, .float64, true), ("b.none", 0, .float64, false),
        ("b.weight", 2051, .float64, true),
    ]

    let tensors: [Tensor]
    let optimizer: PerturbedOptimizer
    /// (tensor, element, θ, step) → g.
    var gradient: (Int, Int, Double, Int) -> Double = MixedRun.wave
    var reports: [StepReport] = []

    init(
        _ equation: PerturbedEquation, groups: [ParameterGroup] = [], shapes: [Shape] = MixedRun.shapes,
        engine: Engine = Engine(parallel: .serial), seed: UInt64 = 5
    ) throws {
        tensors = shapes.map { shape in
            let bytes = shape.count * shape.scalar.size
            let memory = (0..<2).map { _ in
                let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes + 128, alignment: 64)
                memset(raw, 0, bytes + 128)
                return raw
            }
            let offset = shape.unaligned ? shape.scalar.size : 0
            return Tensor(
                spec: ParameterSpec(shape.name, shape: [shape.count], scalar: shape.scalar),
                theta: memory[0] + offset, gradient: memory[1] + offset, memory: memory)
        }
        optimizer = try PerturbedOptimizer(
            parameters: tensors.map(\.spec), equation: equation, groups: groups, seed: seed, horizon: 100,
            engine: engine)
        for tensor in tensors.indices {
            fill(\.theta, tensor) { i, _ in Double(i % 17) / 16 - 0.5 }
        }
    }

    deinit { for memory in tensors.flatMap(\.memory) { memory.deallocate() } }

    /// g = θ/2 + a number in −1 … 1, and some exact zeros.
    static func wave(_ tensor: Int, _ i: Int, _ theta: Double, _ step: Int) -> Double {
        if i % 41 == 7 { return 0 }
        return theta / 2 + Double((i &* 7919 &+ step &* 104_729 &+ tensor) % 201) / 100 - 1
    }

    private func fill(
        _ which: KeyPath<Tensor, UnsafeMutableRawPointer>, _ index: Int, _ value: (Int, Double) -> Double
    ) {
        func typed<S: EquationScalar>(_: S.Type) {
            let theta = tensors[index].theta.assumingMemoryBound(to: S.self)
            let out = tensors[index][keyPath: which].assumingMemoryBound(to: S.self)
            for i in 0..<tensors[index].spec.count { out[i] = S(value(i, Double(theta[i]))) }
        }
        switch tensors[index].spec.scalar {
        case .float32: typed(Float.self)
        case .float64: typed(Double.self)
        }
    }

    var buffers: [ParameterBuffer] {
        tensors.map { ParameterBuffer(parameters: $0.theta, gradient: UnsafeRawPointer($0.gradient)) }
    }

    /// Takes steps until `end` have been taken.
    func advance(to end: Int) throws {
        while optimizer.step < end {
            let step = optimizer.step
            for tensor in tensors.indices {
                fill(\.gradient, tensor) { i, theta in gradient(tensor, i, theta, step) }
            }
            reports.append(try optimizer.step(buffers))
        }
    }

    /// θ of each tensor, byte by byte.
    var bits: [String: Bits] {
        Dictionary(
            uniqueKeysWithValues: tensors.map {
                (
                    $0.spec.name,
                    Bits(bytes: Array(UnsafeRawBufferPointer(start: $0.theta, count: $0.byteCount)))
                )
            })
    }

    /// θ of each tensor.
    var values: [[Double]] {
        tensors.map { tensor in
            func typed<S: EquationScalar>(_: S.Type) -> [Double] {
                let theta = tensor.theta.assumingMemoryBound(to: S.self)
                return (0..<tensor.spec.count).map { Double(theta[$0]) }
            }
            return switch tensor.spec.scalar {
            case .float32: typed(Float.self)
            case .float64: typed(Double.self)
            }
        }
    }

    /// θ and all that the optimizer would save.
    func everything() throws -> [String: Bits] {
        var result = bits
        for source in optimizer.stateSources() {
            var bytes: [UInt8] = []
            try source.bytes { bytes.append(contentsOf: $0) }
            result[source.name] = Bits(bytes: bytes)
        }
        return result
    }

    /// Takes θ and the state of another run, the state through a file.
    func takeUp(_ other: MixedRun, through file: URL) throws {
        try other.optimizer.saveState(to: file)
        for (own, others) in zip(tensors, other.tensors) {
            own.theta.copyMemory(from: others.theta, byteCount: own.byteCount)
        }
        try optimizer.loadState(from: file)
    }
}
