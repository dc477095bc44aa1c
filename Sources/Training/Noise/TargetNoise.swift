import PerturbedEquations

/// Noise on the targets of a regression, at every step.
///
/// y ← y + σ(t)·ξ, by default ξ = ±1, independent per element, example and step; a pure function of (seed, step, example,
/// element). In the limit of small steps this makes SGD prefer flat minima, which additive noise on θ does not.
///
/// ```yaml
/// training: {targetNoise: {sigma: 0.1}}
/// ```
/// ```swift
/// let noise = TargetNoise(sigma: 0.1)
/// noise.add(to: &targets, key: NoiseKey(seed: 1), step: step, example: example)
/// ```
///
/// Source: HaoChen, Wei, Lee and Ma 2021, Shape Matters: Understanding the Implicit Bias of the Noise Covariance.
public struct TargetNoise: Codable, Sendable {
    /// σ(t), a standard deviation in units of the targets as the model is asked them (standardised, where the data are), ≥ 0.
    public var sigma: Scheduled
    /// rademacher, ±1, unless told.
    public var distribution: NoiseDistribution

    public init(sigma: Scheduled, distribution: NoiseDistribution = .rademacher) {
        self.sigma = sigma
        self.distribution = distribution
    }

    private enum CodingKeys: String, CodingKey { case sigma, distribution }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        sigma = try container.decode(Scheduled.self, forKey: .sigma)
        distribution =
            try container.decodeIfPresent(NoiseDistribution.self, forKey: .distribution) ?? .rademacher
        try validate()
    }

    func validate() throws {
        try sigma.require(
            "sigma", in: 0...Double(Float.greatestFiniteMagnitude), allowed: "a finite standard deviation ≥ 0"
        )
    }

    /// Adds the noise of one example's targets.
    ///
    /// - Parameters:
    ///   - key: of the run.
    ///   - example: its number in the training data, 0 …< 2³².
    public func add(to targets: inout MutableSpan<Float>, key: NoiseKey, step: Int, example: Int) {
        let sigma = sigma.value(at: step)
        guard sigma != 0 else { return }
        NoiseStream(key: key.derived("targetNoise"), step: step, parameter: example, term: 0)
            .add(distribution, scale: sigma, to: &targets)
    }
}
