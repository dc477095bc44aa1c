import Datasets
import Foundation
import PerturbedEquations
import PosteriorSampling
import Torch
import TorchNN
import Training

/// All that a sampling run is made of, built and ready.
public struct SamplingPlan {
    /// The run's name, for people, and the model's in the catalogue.
    public let name: String
    public let modelName: String
    public let data: Dataset
    public let prior: NamedPrior
    public let likelihood: Likelihood
    public let settings: SamplingSettings
    public let posterior: NamedPosterior
    let ruleName: String
    /// When there are draws: of the chains' steps, and of those beyond their ends.
    let schedule: SamplingSchedule
    let chains: [any MarkovChain]

    /// Builds a model for each chain.
    ///
    /// - Parameters:
    ///   - posterior: how it is approximated.
    ///   - build: makes a model from the seed of its first weights.
    /// - Throws: `ConfigurationError` where equation, model and data make no posterior to sample; what `build` throws;
    ///   `TorchError`.
    public init(
        name: String, modelName: String, data: Dataset, prior: NamedPrior, likelihood given: Likelihood?,
        posterior: NamedPosterior = NamedPosterior(MarkovChains()), equation: PerturbedEquation,
        settings: SamplingSettings, build: (_ seed: UInt64) throws -> any Module
    ) throws {
        self.name = name
        self.modelName = modelName
        self.data = data
        self.prior = prior
        self.settings = settings
        self.posterior = posterior
        let approximation = posterior.approximation
        ruleName = type(of: equation.rule).catalogueEntry.name
        likelihood = try .of(data.kind, given: given)
        try require(
            settings.batchSize <= data.train.count, "sampling.batchSize", is: settings.batchSize,
            allowed: "1 to \(data.train.count), the training examples")
        let scale = MinibatchScale(examples: data.train.count)
        let equation = try approximation.equation(equation, for: scale, prior, settings.schedule)
        schedule = try approximation.schedule(settings.schedule)
        chains = try (0..<settings.chains).map { [likelihood] chain -> any MarkovChain in
            let key = NoiseKey.chain(chain, seed: settings.seed)
            let model = try build(key.derived("initialise").seed)
            if let buffer = model.buffers.first {
                throw ConfigurationError(
                    "has buffers (\(buffer.name), …), as batch normalisation has, with which the loss of an example depends on "
                        + "others, so that there is no likelihood; allowed: models without buffers",
                    path: "model.\(modelName)")
            }
            let chain = try NetworkChain(
                model, on: data, likelihood: likelihood, prior: prior.prior, equation: equation,
                ruleHasPrior: approximation.ruleHasPrior, scale: scale, batchSize: settings.batchSize,
                probes: settings.probes, key: key, steps: settings.schedule.steps)
            let gathered = approximation.distribution(
                over: chain.optimizer.parameters, along: settings.schedule)
            guard let gathered else { return chain }
            return GatheringChain(chain, gathered, steps: settings.schedule.steps, key: key)
        }
    }

    /// The sampler of these chains; the draws go to a directory, which must exist.
    package func sampler(to directory: URL, threads: Int) throws -> ChainSampler {
        try ChainSampler(
            chains, schedule: schedule, to: directory, threads: threads,
            // libtorch's operations stay on the chain's thread, for this thread and all calls on it.
            prepare: { Threads.count = 1 })
    }
}
