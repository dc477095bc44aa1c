import PerturbedEquations

/// U(θ) = −log density, up to a constant, of numbers θ ∈ ℝᵈ, with its gradient: what there is to sample from.
///
/// ```swift
/// // A correlated normal distribution in two dimensions.
/// let potential = try Potential<Double>(dimension: 2) { theta, gradient in
///     let (x, y) = (theta[0], theta[1])
///     gradient[0] = 2 * x - 0.9 * y
///     gradient[1] = y - 0.9 * x
///     return x * x - 0.9 * x * y + 0.5 * y * y
/// }
/// ```
///
/// The closures are called by several threads at once, each for another chain.
public struct Potential<Scalar: EquationScalar>: Sendable {
    /// Gives U(θ), and writes ∇U(θ) into memory that holds zeros.
    public typealias Whole =
        @Sendable (_ theta: Span<Scalar>, _ gradient: inout MutableSpan<Scalar>) throws -> Double
    /// Gives Σ ℓᵢ(θ) over the examples of a batch, and writes its gradient into memory that holds zeros.
    public typealias OfBatch =
        @Sendable (_ theta: Span<Scalar>, _ batch: Span<Int>, _ gradient: inout MutableSpan<Scalar>) throws ->
        Double

    enum Form: Sendable {
        case whole(Whole)
        case batches(size: Int, OfBatch)
    }

    /// d.
    public let dimension: Int
    /// N and what follows from it.
    public let scale: MinibatchScale
    /// Added to U; nil where U has its prior in it.
    public let prior: (any Prior)?
    let form: Form

    /// A potential that is computed as a whole.
    ///
    /// - Parameters:
    ///   - dimension: d ≥ 1.
    ///   - energy: U and its gradient, with the prior unless one is given.
    ///   - prior: a prior beside it.
    /// - Throws: `ConfigurationError` for a dimension below 1 and an improper prior.
    public init(dimension: Int, prior: (any Prior)? = nil, energy: @escaping Whole) throws {
        try require(dimension >= 1, "dimension", is: dimension, allowed: "a whole number ≥ 1")
        try prior?.check()
        self.dimension = dimension
        self.prior = prior
        scale = MinibatchScale(examples: 1)
        form = .whole(energy)
    }

    /// The posterior of N independent examples, of which each step looks at some.
    ///
    /// Each chain goes through the examples in an order of its own, every epoch another; what does not fill a batch at an
    /// epoch's end is left out of it.
    ///
    /// - Parameters:
    ///   - dimension: d ≥ 1.
    ///   - examples: N ≥ 1: without it a batch's losses could not be scaled to the whole data's.
    ///   - batchSize: n, 1 … N.
    ///   - prior: p(θ); nil where each ℓᵢ has its share, −log p(θ)/N, in it.
    ///   - losses: Σ ℓᵢ = −Σ log p(xᵢ|θ) over a batch and its gradient, neither scaled nor with the prior.
    /// - Throws: `ConfigurationError`, also where N is nil: for callers that read it.
    public init(
        dimension: Int, examples: Int?, batchSize: Int, prior: (any Prior)?, losses: @escaping OfBatch
    ) throws {
        try require(dimension >= 1, "dimension", is: dimension, allowed: "a whole number ≥ 1")
        guard let examples else {
            throw ConfigurationError(
                "is missing: the losses of a batch are scaled by N/n, and without N, the number of all examples, the "
                    + "posterior is not known; allowed: a whole number ≥ 1", path: "examples")
        }
        try require(examples >= 1, "examples", is: examples, allowed: "a whole number ≥ 1")
        try require(
            (1...examples).contains(batchSize), "batchSize", is: batchSize,
            allowed: "1 … \(examples), the examples")
        try prior?.check()
        self.dimension = dimension
        self.prior = prior
        scale = MinibatchScale(examples: examples)
        form = .batches(size: batchSize, losses)
    }
}

extension Prior {
    /// Refuses settings outside their range, under the prior's name.
    func check() throws { try within("prior.\(Self.catalogueEntry.name)") { try validate() } }
}
