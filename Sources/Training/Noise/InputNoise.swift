import PerturbedEquations

/// Noise on the inputs in training.
///
/// x ← x + σ(t)·ξ, with ξ of mean 0 and variance 1, independent per element, example and step. σ is in the units of the
/// inputs as the model sees them, after the data set's scaling. Evaluation is on the inputs as they are.
///
/// The noise of an example is a pure function of (seed, step, example, element): neither the batch's order nor its
/// micro-batches change it, and a resumed run draws the same.
///
/// ```yaml
/// training: {inputNoise: {sigma: 0.1}}
/// training: {inputNoise: {sigma: {linear: {from: 0.3, to: 0}}, distribution: uniform}}
/// ```
///
/// Source: Bishop 1995, Training with Noise is Equivalent to Tikhonov Regularization.
public struct InputNoise: Codable, Sendable {
    /// σ(t), a standard deviation in input units, ≥ 0.
    public var sigma: Scheduled
    /// normal unless told.
    public var distribution: NoiseDistribution

    public init(sigma: Scheduled, distribution: NoiseDistribution = .normal) {
        self.sigma = sigma
        self.distribution = distribution
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        sigma = try container.decode(Scheduled.self, forKey: .sigma)
        distribution =
            try container.decodeIfPresent(NoiseDistribution.self, forKey: .distribution) ?? .normal
        try validate()
    }

    func validate() throws {
        try sigma.require(
            "sigma", in: 0...Double(Float.greatestFiniteMagnitude), allowed: "a finite standard deviation ≥ 0"
        )
    }

    /// Adds the noise of one example's inputs.
    ///
    /// - Parameters:
    ///   - key: of the run.
    ///   - example: its number in the training data, 0 …< 2³².
    package func add(to inputs: inout MutableSpan<Float>, key: NoiseKey, step: Int, example: Int) {
        let sigma = sigma.value(at: step)
        guard sigma != 0 else { return }
        NoiseStream(key: key.derived("inputNoise"), step: step, parameter: example, term: 0)
            .add(distribution, scale: sigma, to: &inputs)
    }
}
