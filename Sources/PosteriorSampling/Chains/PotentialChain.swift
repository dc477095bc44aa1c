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
    private let theta: UnsafeMutableBufferPointer<Scalar>
    private let gradient: UnsafeMutableBufferPointer<Scalar>
    private let buffers: [ParameterBuffer]
    private let order: BatchOrder?

    /// - Parameter equation: as ``PerturbedEquation/sampling(_:cycle:)`` gives it.
    init(
        _ potential: Potential<Scalar>, equation: PerturbedEquation, functions: [ChainFunction<Scalar>],
        start: [Scalar], key: NoiseKey, steps: Int
    ) throws {
        self.potential = potential
        tracked = functions
        optimizer = try PerturbedOptimizer(
            parameters: [ParameterSpec("theta", shape: [potential.dimension], scalar: Scalar.scalarType)],
            equation: equation, seed: key.seed, horizon: steps, engine: Engine(parallel: .serial))
        if case .batches(let size, _) = potential.form {
            order = BatchOrder(key: key, examples: potential.scale.examples, size: size)
        } else {
            order = nil
        }
        theta = .allocate(capacity: potential.dimension)
        _ = theta.initialize(fromContentsOf: start)
        gradient = .allocate(capacity: potential.dimension)
        gradient.initialize(repeating: 0)
        buffers = [
            ParameterBuffer(
                parameters: UnsafeMutableRawPointer(theta.baseAddress!),
                gradient: UnsafeRawPointer(gradient.baseAddress!))
        ]
    }

    deinit {
        theta.deallocate()
        gradient.deallocate()
    }

    var functionNames: [String] { tracked.map(\.name) }

    func step(measuring _: Bool) throws -> ChainStep {
        let energy = try evaluate()
        let report = try optimizer.step(buffers)
        return ChainStep(energy: energy, outcome: report.outcome)
    }

    /// U at θ; writes ∇U/N.
    @_specialize(where Scalar == Float)
    @_specialize(where Scalar == Double)
    private func evaluate() throws -> Double {
        gradient.update(repeating: 0)
        let position = UnsafeBufferPointer(theta)
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
        let position = UnsafeBufferPointer(theta)
        return tracked.map { $0.value(position.span) }
    }

    func withParameters<Result>(
        _ body: ([UnsafeMutableRawBufferPointer]) throws -> Result
    ) rethrows -> Result {
        try body([UnsafeMutableRawBufferPointer(theta)])
    }
}
