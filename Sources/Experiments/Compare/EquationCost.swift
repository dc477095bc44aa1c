import PerturbedEquations

/// What a step of an equation costs, in passes over a logical batch.
public struct EquationCost: Codable, Sendable, Equatable {
    /// Forward and backward passes per step, in the mean.
    public var gradients: Double
    /// Forward passes alone.
    public var losses: Double

    /// A backward pass takes about as long as two forward passes: in units of a gradient.
    public var total: Double { gradients + losses / 3 }

    /// The steps over which the mean is taken.
    private static let horizon = 1000

    /// Counts the evaluations of the equation's own steps, on one parameter: what a parameter perturbation evaluates does
    /// not depend on the model, and a perturbation of the gradient evaluates nothing.
    ///
    /// - Throws: `ConfigurationError` for an equation that is refused.
    public init(of equation: PerturbedEquation) throws {
        var bare = equation
        bare.perturbation = []
        bare.controllers = []
        bare.stability = Stability()
        let optimizer = try PerturbedOptimizer(
            parameters: [ParameterSpec("theta", shape: [1])], equation: bare, seed: 1, horizon: Self.horizon)
        var theta: [Float] = [1]
        var gradient: [Float] = [0.1]
        try theta.withUnsafeMutableBufferPointer { theta in
            try gradient.withUnsafeMutableBufferPointer { gradient in
                let buffer = ParameterBuffer(parameters: theta.baseAddress!, gradient: gradient.baseAddress!)
                for _ in 0..<Self.horizon { try optimizer.step([buffer]) { _ in 0.1 } }
            }
        }
        gradients = Double(optimizer.evaluations.gradients) / Double(Self.horizon)
        losses = Double(optimizer.evaluations.losses) / Double(Self.horizon)
    }
}
