import Foundation
import PerturbedEquations
import Safetensors

/// Bytes that are compared, and not printed.
struct Bits: Equatable, CustomStringConvertible {
    let bytes: [UInt8]

    var description: String { "\(bytes.count) bytes" }
}

/// A run over parameters of all scalar types, empty, of one element, unaligned and ordinary ones; its gradient
/// depends on nothing but θ and the step.
final class MixedRun {
    struct Tensor {
        let spec: ParameterSpec
        let theta: UnsafeMutableRawPointer
        let gradient: UnsafeMutableRawPointer
        /// Numbers for the signals: each element of every signal is |g|, in the type of the arithmetic.
        let signal: UnsafeMutableRawPointer
        fileprivate let memory: [UnsafeMutableRawPointer]

        var byteCount: Int { spec.count * spec.scalar.size }

        /// θ of one element.
        subscript(i: Int) -> Double {
            switch spec.scalar {
            case .float32: Double(theta.assumingMemoryBound(to: Float.self)[i])
            case .float64: theta.assumingMemoryBound(to: Double.self)[i]
            case .bfloat16: Double(Float(theta.assumingMemoryBound(to: BFloat16.self)[i]))
            }
        }
    }

    /// name, elements, type, and whether the memory begins one element after a multiple of 64 bytes.
    typealias Shape = (name: String, count: Int, scalar: ScalarType, unaligned: Bool)

    static let shapes: [Shape] = [
        ("a.one", 1, .float32, false), ("a.none", 0, .float32, false), ("a.odd", 33, .float32, true),
        ("a.weight", 4500, .float32, false), ("b.one", 1, .float64, true), ("b.none", 0, .float64, false),
        ("b.weight", 2051, .float64, true), ("c.weight", 301, .bfloat16, true),
        ("c.one", 1, .bfloat16, false),
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
            let room = shape.count * shape.scalar.arithmetic.size + 128
            let memory = (0..<3).map { _ in
                let raw = UnsafeMutableRawPointer.allocate(byteCount: room, alignment: 64)
                memset(raw, 0, room)
                return raw
            }
            let offset = shape.unaligned ? shape.scalar.size : 0
            return Tensor(
                spec: ParameterSpec(shape.name, shape: [shape.count], scalar: shape.scalar),
                theta: memory[0] + offset, gradient: memory[1] + offset, signal: memory[2], memory: memory)
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
        let (tensor, out) = (tensors[index], tensors[index][keyPath: which])
        for i in 0..<tensor.spec.count {
            let new = value(i, tensor[i])
            switch tensor.spec.scalar {
            case .float32: out.assumingMemoryBound(to: Float.self)[i] = Float(new)
            case .float64: out.assumingMemoryBound(to: Double.self)[i] = new
            case .bfloat16: out.assumingMemoryBound(to: BFloat16.self)[i] = BFloat16(Float(new))
            }
        }
    }

    var buffers: [ParameterBuffer] {
        tensors.map { tensor in
            var buffer = ParameterBuffer(
                parameters: tensor.theta, gradient: UnsafeRawPointer(tensor.gradient))
            for signal in Signal.allCases { buffer.signals[signal] = UnsafeRawPointer(tensor.signal) }
            return buffer
        }
    }

    /// Sets each signal to |g|.
    private func fillSignal(_ tensor: Tensor) {
        for i in 0..<tensor.spec.count {
            switch tensor.spec.scalar {
            case .float32:
                tensor.signal.assumingMemoryBound(to: Float.self)[i] =
                    abs(tensor.gradient.assumingMemoryBound(to: Float.self)[i])
            case .float64:
                tensor.signal.assumingMemoryBound(to: Double.self)[i] =
                    abs(tensor.gradient.assumingMemoryBound(to: Double.self)[i])
            case .bfloat16:
                tensor.signal.assumingMemoryBound(to: Float.self)[i] =
                    abs(Float(tensor.gradient.assumingMemoryBound(to: BFloat16.self)[i]))
            }
        }
    }

    /// Takes steps until `end` have been taken.
    func advance(to end: Int) throws {
        while optimizer.step < end {
            let step = optimizer.step
            guard optimizer.needsObjective else {
                setGradients(at: step)
                reports.append(try optimizer.step(buffers))
                continue
            }
            let report = try optimizer.step(buffers) { evaluation in
                if evaluation.needsGradient { setGradients(at: step) }
                return loss(at: step)
            }
            reports.append(report)
        }
    }

    private func setGradients(at step: Int) {
        for tensor in tensors.indices {
            fill(\.gradient, tensor) { i, theta in gradient(tensor, i, theta, step) }
            fillSignal(tensors[tensor])
        }
    }

    /// A loss with about the gradient that `wave` gives: Σ θ(θ/4 + wave at θ = 0).
    private func loss(at step: Int) -> Double {
        var loss = 0.0
        for (tensor, memory) in tensors.enumerated() {
            for i in 0..<memory.spec.count {
                let theta = memory[i]
                loss += theta * (theta / 4 + Self.wave(tensor, i, 0, step))
            }
        }
        return loss
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
    var values: [[Double]] { tensors.map { tensor in (0..<tensor.spec.count).map { tensor[$0] } } }

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
