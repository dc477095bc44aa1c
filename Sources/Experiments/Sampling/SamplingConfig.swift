import BayesianLearning
import Models
import PerturbedEquations
import PosteriorSampling
import Training

/// The sampling of a posterior as a file says it: the model, the data, the prior, the schedule of the chains and the perturbed
/// equation, whose rule must be one that samples.
///
/// ```yaml
/// model: {mlp: {hidden: [50]}}
/// data: digits
/// prior: {gaussian: {deviation: 0.3}}
/// sampling: {chains: 4, steps: 20000, burnIn: 5000, thin: 20, batchSize: 100, seed: 1}
/// rule: {sghmc: {learningRate: 1e-6, friction: 0.05}}
/// ```
///
/// These must be there; `likelihood` too where the targets are numbers. `posterior` says how it is approximated: by chains unless
/// told. `output` is the run's directory.
public struct SamplingConfig: RunConfig {
    public var model: AnyModel
    public var data: DataChoice
    public var prior: NamedPrior
    public var likelihood: Likelihood?
    public var posterior: NamedPosterior
    public var sampling: SamplingSettings
    public var equation: PerturbedEquation
    public var output: String?

    private enum CodingKeys: String, CodingKey {
        case model, data, prior, likelihood, posterior, sampling, output
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        model = try container.decode(AnyModel.self, forKey: .model)
        data = try container.decode(DataChoice.self, forKey: .data)
        prior = try container.decode(NamedPrior.self, forKey: .prior)
        likelihood = try container.decodeIfPresent(Likelihood.self, forKey: .likelihood)
        posterior = try container.decode(.posterior, default: NamedPosterior(MarkovChains()))
        sampling = try container.decode(SamplingSettings.self, forKey: .sampling)
        equation = try PerturbedEquation(from: decoder)
        output = try container.decodeIfPresent(String.self, forKey: .output)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(model, forKey: .model)
        try container.encode(data, forKey: .data)
        try container.encode(prior, forKey: .prior)
        try container.encodeIfPresent(likelihood, forKey: .likelihood)
        try container.encode(posterior, forKey: .posterior)
        try container.encode(sampling, forKey: .sampling)
        try equation.encode(to: encoder)
        try container.encodeIfPresent(output, forKey: .output)
    }

    public var threads: Int? { sampling.threads }

    public func resolved(threads: Int) -> SamplingConfig {
        var resolved = self
        resolved.data = data.resolved()
        resolved.model = model.resolved()
        return resolved
    }

    /// A sampling run cannot be made longer: its burn-in and its parts follow its length.
    public var lengths: [(name: String, value: Int?)] { [] }

    public mutating func lengthen(by factor: Double) {
        let steps = Int((Double(sampling.schedule.steps) * factor).rounded())
        sampling.schedule.steps = max(sampling.schedule.burnIn + sampling.schedule.thin, steps)
    }

    /// A posterior is of all training data.
    public mutating func holdOut(fraction: Double) {}
    public static let choosingPrefix = ""
    /// Draws are not compared by a number of their run.
    public static let metricNames: Set<String> = []
}
