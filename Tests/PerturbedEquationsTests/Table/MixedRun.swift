import Foundation
import PerturbedEquations
import Safetensors

/// Bytes that are compared, and not printed.
struct Bits: Equatable, CustomStringConvertible {
    let bytes: [UInt8]

    var description: String { "\(bytes.count) bytes" }
}

/// A run over parameters of all scalar types, empty, of one element, unaligned and ordinary ones, on the loss
/// L = Σ ½hᵢθᵢ² + wᵢθᵢ: it depends on nothing but θ and the step.
final class MixedRun {
    struct Tensor {
        let spec: ParameterSpec
        let theta: UnsafeMutableRawPointer
        let gradient: UnsafeMutableRawPointer
        /// What terms may require besides g, one tensor for each `Signal`.
        fileprivate let signals: [UnsafeMutableRawPointer]
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
    /// (tensor, element, step) → (h, w).
    var problem: (Int, Int, Int) -> (h: Double, w: Double) = MixedRun.wave
    /// Called after each evaluation with its loss; returns or throws what the objective does.
    var afterEvaluation: (ObjectiveEvaluation, Double) throws -> Double = { $1 }
    var reports: [StepReport] = []
    private let usesSignals: Bool

    init(
        _ equation: PerturbedEquation, groups: [ParameterGroup] = [], shapes: [Shape] = MixedRun.shapes,
        engine: Engine = Engine(parallel: .serial), seed: UInt64 = 5
    ) throws {
        tensors = shapes.map { shape in
            let bytes = shape.count * shape.scalar.size
            let memory = (0..<2 + Signal.allCases.count).map { _ in
                // Signals of bfloat16 parameters are float32.
                let raw = UnsafeMutableRawPointer.allocate(byteCount: 2 * bytes + 128, alignment: 64)
                memset(raw, 0, 2 * bytes + 128)
                return raw
            }
            let offset = shape.unaligned ? shape.scalar.size : 0
            return Tensor(
                spec: ParameterSpec(shape.name, shape: [shape.count], scalar: shape.scalar),
                theta: memory[0] + offset, gradient: memory[1] + offset,
                signals: Array(memory[2...]), memory: memory)
        }
        optimizer = try PerturbedOptimizer(
            parameters: tensors.map(\.spec), equation: equation, groups: groups, seed: seed, horizon: 100,
            engine: engine)
        usesSignals = equation.perturbation.contains { term in
            (0..<4).contains { !term.requirements(at: $0).signals.isEmpty }
        }
        for tensor in tensors.indices {
            fill(\.theta, tensor) { i, _ in Double(i % 17) / 16 - 0.5 }
        }
    }

    deinit { for memory in tensors.flatMap(\.memory) { memory.deallocate() } }

    /// g = θ/2 + a number in −1 … 1, and nothing but zeros for some elements.
    static func wave(_ tensor: Int, _ i: Int, _ step: Int) -> (h: Double, w: Double) {
        if i % 41 == 7 { return (0, 0) }
        return (0.5, Double((i &* 7919 &+ step &* 104_729 &+ tensor) % 201) / 100 - 1)
    }

    /// L(θ), and its gradient into the buffers.
    func evaluate(_ evaluation: ObjectiveEvaluation) throws -> Double {
        var loss = 0.0
        for tensor in tensors.indices {
            func value(_ i: Int, _ theta: Double) -> Double {
                let (h, w) = problem(tensor, i, evaluation.step)
                loss += theta * (h * theta / 2 + w)
                return h * theta + w
            }
            if evaluation.needsGradient {
                fill(\.gradient, tensor, value)
                if usesSignals { fillSignals(tensor, evaluation.step) }
            } else {
                for i in 0..<tensors[tensor].spec.count { _ = value(i, tensors[tensor][i]) }
            }
        }
        return try afterEvaluation(evaluation, loss)
    }

    private static func store(
        _ value: Double, _ memory: UnsafeMutableRawPointer, _ i: Int, _ scalar: ScalarType
    ) {
        switch scalar {
        case .float32: memory.assumingMemoryBound(to: Float.self)[i] = Float(value)
        case .float64: memory.assumingMemoryBound(to: Double.self)[i] = value
        case .bfloat16: memory.assumingMemoryBound(to: BFloat16.self)[i] = BFloat16(Float(value))
        }
    }

    private func fill(
        _ which: KeyPath<Tensor, UnsafeMutableRawPointer>, _ index: Int, _ value: (Int, Double) -> Double
    ) {
        let tensor = tensors[index]
        for i in 0..<tensor.spec.count {
            Self.store(value(i, tensor[i]), tensor[keyPath: which], i, tensor.spec.scalar)
        }
    }

    /// Signals as they could be: a curvature, and two halves of the batch with gradients g ± 1/4 or so.
    private func fillSignals(_ index: Int, _ step: Int) {
        let tensor = tensors[index]
        for i in 0..<tensor.spec.count {
            let (h, w) = problem(index, i, step)
            let g = h * tensor[i] + w
            let spread = Double((i &* 31 &+ step &* 17) % 21) / 40 - 0.25
            for (signal, memory) in zip(Signal.allCases, tensor.signals) {
                let value =
                    switch signal {
                    case .hessianDiagonal: h
                    case .positivePart: (max(g + spread, 0) + max(g - spread, 0)) / 2
                    case .microBatchNoise: spread
                    }
                Self.store(value, memory, i, tensor.spec.scalar.arithmetic)
            }
        }
    }

    var buffers: [ParameterBuffer] {
        tensors.map {
            var signals = ParameterSignals()
            for (signal, memory) in zip(Signal.allCases, $0.signals) {
                signals[signal] = UnsafeRawPointer(memory)
            }
            return ParameterBuffer(
                parameters: $0.theta, gradient: UnsafeRawPointer($0.gradient), signals: signals)
        }
    }

    @discardableResult
    func step() throws -> StepReport {
        if optimizer.needsSmallBatch {
            let step = optimizer.step
            for tensor in tensors.indices {
                fill(\.gradient, tensor) { i, theta in
                    let (h, w) = problem(tensor, i, step)
                    return h * theta + w + Double((13 * i + step) % 7 - 3) / 10
                }
            }
            optimizer.noteSmallBatch(buffers, examples: 8, of: 32)
        }
        return try optimizer.step(buffers, objective: evaluate)
    }

    /// Takes steps until `end` have been taken.
    func advance(to end: Int) throws {
        while optimizer.step < end { reports.append(try step()) }
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
