import PerturbedEquations

/// A number of θ that chains are compared by, such as a coordinate.
public struct ChainFunction<Scalar: EquationScalar>: Sendable {
    public let name: String
    public let value: @Sendable (Span<Scalar>) -> Double

    public init(_ name: String, _ value: @escaping @Sendable (Span<Scalar>) -> Double) {
        self.name = name
        self.value = value
    }

    /// θᵢ, called `theta[i]`.
    public static func coordinate(_ index: Int) -> ChainFunction {
        ChainFunction("theta[\(index)]") { Double($0[index]) }
    }
}

/// A chain on a ``Potential``: θ and its gradient in arrays of its own.
final class PotentialChain<Scalar: EquationScalar>: MarkovChain {
    let optimizer: PerturbedOptimizer
    private let potential: Potential<Scalar>
    private let tracked: [ChainFunction<Scalar>]
    private let arrays: ParameterArrays<Scalar>
    private let memory: [UnsafeMutableRawBufferPointer]
    private let order: BatchOrder?

    /// - Parameter equation: as ``PerturbedEquation/sampling(_:cycle:)`` gives it.
    /// - Throws: `ConfigurationError`, also for a term or a controller that needs more than a gradient.
    init(
        _ potential: Potential<Scalar>, equation: PerturbedEquation, functions: [ChainFunction<Scalar>],
        start: [Scalar], key: NoiseKey, steps: Int
    ) throws {
        self.potential = potential
        tracked = functions
        optimizer = try PerturbedOptimizer(
            parameters: [ParameterSpec("theta", shape: [potential.dimension], scalar: Scalar.scalarType)],
            equation: equation, seed: key.seed, horizon: steps, engine: Engine(parallel: .serial))
        try optimizer.requireGradientsSuffice(of: "a chain")
        if case .batches(let size, _) = potential.form {
            order = BatchOrder(key: key, examples: potential.scale.examples, size: size)
        } else {
            order = nil
        }
        arrays = ParameterArrays(start)
        memory = [UnsafeMutableRawBufferPointer(arrays.theta)]
    }

    var functionNames: [String] { tracked.map(\.name) }

    func step(measuring _: Bool) throws -> ChainStep {
        let energy = try evaluate()
        let report = try optimizer.step(arrays.buffers)
        return ChainStep(energy: energy, outcome: report.outcome)
    }

    /// U at θ; writes ∇U/N.
    @_specialize(where Scalar == Float)
    @_specialize(where Scalar == Double)
    private func evaluate() throws -> Double {
        let gradient = arrays.gradient
        gradient.update(repeating: 0)
        let position = UnsafeBufferPointer(arrays.theta)
        var slope = gradient.mutableSpan
        var mean: Double
        switch potential.form {
        case .whole(let energy): mean = try energy(position.span, &slope)
        case .batches(let size, let losses):
            let share = potential.scale.batchShare(of: size)
            mean = try losses(position.span, order!.batch(at: optimizer.step).span, &slope) * share
            let factor = Scalar(share)
            for index in gradient.indices { gradient[index] *= factor }
        }
        guard let prior = potential.prior else { return potential.scale.energy(meanLoss: mean, prior: 0) }
        prior.addDerivative(at: position, share: potential.scale.priorShare, to: gradient)
        return potential.scale.energy(meanLoss: mean, prior: prior.energy(of: position))
    }

    func functions() -> [Double] {
        guard !tracked.isEmpty else { return [] }
        let position = UnsafeBufferPointer(arrays.theta)
        return tracked.map { $0.value(position.span) }
    }

    func withParameters<Result>(
        _ body: ([UnsafeMutableRawBufferPointer]) throws -> Result
    ) rethrows -> Result {
        try body(memory)
    }
}
