import BayesianLearning
import Datasets
import Foundation
import PosteriorSampling
import Safetensors
import Torch
import TorchNN
import Training

extension PosteriorEvaluation {
    /// Whether a directory is a sampling run.
    public static func isSampled(_ run: URL) -> Bool {
        guard let text = try? BaseConfiguration.text(of: run.appendingPathComponent("config.yaml")),
            let node = try? ConfigNode(yaml: text)
        else { return false }
        return node["sampling"] != nil
    }

    /// Opens a sampling run by the draws that it has written, finished or not.
    ///
    /// - Parameters:
    ///   - atMost: how many draws, ≥ 1, taken evenly of all chains; all unless told.
    ///   - split: of the run's data.
    ///   - seed: of what is drawn: which half a temperature is fitted on.
    /// - Throws: `FileError` where no run is there, or it has no draws yet; ``ConfigError``, `DatasetError`, `SafetensorsError`,
    ///   `StateDictionaryError` for what it is made of.
    public convenience init(
        sampled url: URL, atMost: Int? = nil, split: EvaluatedSplit = .test, seed: UInt64 = 1
    ) throws {
        let config = try SamplingConfig(contentsOf: url.appendingPathComponent("config.yaml"))
        let samples = try Self.samples(of: url)
        Threads.count = 1
        let data = try config.data.load()
        let model = try config.model.architecture.build(for: data.kind, seed: config.sampling.seed)
        let members = SampleMembers(samples, atMost: atMost)
        var posterior = PosteriorReport(.draws, members: members.count)
        posterior.draws = samples.chains * samples.draws
        posterior.chains = samples.chains
        // Draws of another model are refused before anything is measured.
        _ = try members.install(0, in: model)
        var deviation: Double?
        if case .gaussian(let own) = try Likelihood.of(data.kind, given: config.likelihood) {
            deviation = own
        }
        let result = try? SamplingResult(contentsOf: url.appendingPathComponent("result.json"))
        let information = try? RunInformation(contentsOf: url.appendingPathComponent("run.json"))
        let header = EvaluationReport(
            run: url.relativePath, name: url.standardizedFileURL.lastPathComponent, model: config.model.name,
            data: data.name, parameters: model.parameterCount, trainingSeed: config.sampling.seed,
            weights: result == nil ? .latest : .final,
            step: result?.steps ?? information?.sessions.last?.toStep ?? 0, split: split, seed: seed,
            peo: Experiment.version)
        try self.init(
            members, posterior, model: model, data: data, deviation: deviation, header: header,
            warnings: data.warnings)
    }

    private static func samples(of run: URL) throws -> Samples {
        let folder = run.appendingPathComponent("samples")
        do {
            return try Samples(contentsOf: folder)
        } catch let error as FileError where error.reason == .missing {
            throw FileError(
                path: folder.path, operation: .open, reason: .missing,
                detail:
                    "the run has written no draws yet; go on with: peo sample --resume \(run.relativePath)")
        }
    }

    /// Opens several runs of one model on one data set as a deep ensemble.
    ///
    /// - Parameter weights: the final ones of finished runs and otherwise the latest, unless told.
    /// - Throws: ``ConfigError`` for runs that differ in model or data; what `RunEvaluation` throws.
    /// - Precondition: there are two runs at least.
    public convenience init(
        ensemble urls: [URL], weights: RunWeights? = nil, split: EvaluatedSplit = .test, seed: UInt64 = 1
    ) throws {
        precondition(urls.count >= 2, "an ensemble of \(urls.count) runs")
        let first = try RunEvaluation(run: urls[0], weights: weights, split: split, seed: seed)
        var (installers, warnings) = ([(any Module) throws -> Void](), first.warnings)
        var own: ExperimentConfig?
        for url in urls {
            let place = url.appendingPathComponent("config.yaml")
            try RunEvaluation.refuseSampled(url)
            let config = try ExperimentConfig(contentsOf: place)
            try Self.requireAlike(config, own ?? config, urls[0], file: place.path)
            own = own ?? config
            let stored = try StoredWeights(run: url, weights)
            if url != urls[0] { warnings += stored.warnings }
            var plan = first.plan
            plan.settings = config.training
            installers.append { _ in _ = try stored.install(in: plan) }
        }
        var posterior = PosteriorReport(.ensemble, members: urls.count)
        posterior.runs = urls.map(\.relativePath)
        var header = first.header
        header.run = "ensemble of \(urls.count)"
        try self.init(
            ModelMembers(installers), posterior, model: first.plan.model, data: first.plan.data,
            header: header, warnings: warnings)
    }

    /// Refuses runs of which no ensemble can be made.
    private static func requireAlike(
        _ config: ExperimentConfig, _ first: ExperimentConfig, _ run: URL, file: String
    ) throws {
        func text(_ value: some Encodable) throws -> String {
            String(decoding: try JSON.encoder().encode(value), as: UTF8.self)
        }
        for (key, own, other) in [
            ("model", try text(config.model), try text(first.model)),
            ("data", try text(config.data), try text(first.data)),
            (
                "training.validation", try text(config.training.validation),
                try text(first.training.validation)
            ),
        ] where own != other {
            throw ConfigError(
                .badValue,
                "is \(own), and that of \(run.relativePath) is \(other); an ensemble is of runs that differ in nothing but their "
                    + "training", keyPath: key, file: file)
        }
    }

    /// A trained run's weights as they are or, with a number of masks, under dropout.
    ///
    /// - Parameter masks: ≥ 1; nil measures without dropout.
    /// - Throws: ``ConfigError`` where the model has no dropout, or the data no independent examples; `TorchError`.
    public convenience init(_ run: RunEvaluation, dropout masks: Int? = nil) throws {
        var members: any PredictiveMembers = ModelMembers()
        if let masks {
            if Self.refusal(of: run.plan.data.kind) == nil,
                try !DropoutMembers.hasDropout(run.plan.model, on: run.plan.data.test, of: run.plan.data.kind)
            {
                throw ConfigError(
                    .badValue,
                    "has no dropout: its predictions are the same under every mask; allowed: a model with dropout (of the models "
                        + "from peo list models, but torchScript)", keyPath: "model",
                    file: run.directory?.appendingPathComponent("config.yaml").path)
            }
            members = DropoutMembers(masks, seed: run.seed)
        }
        try self.init(
            members, PosteriorReport(masks == nil ? .weights : .dropout, members: members.count),
            model: run.plan.model, data: run.plan.data, header: run.header, warnings: run.warnings)
    }
}
