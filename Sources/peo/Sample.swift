import ArgumentParser
import Experiments
import Foundation
import Torch
import Training

/// `peo sample`
struct SampleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sample",
        abstract: "Sample the posterior of a model's weights, or go on with such a run.",
        discussion: """
            Examples:
              peo sample Examples/digits-sghmc.yaml
              peo sample Examples/digits-swag.yaml
              peo sample Examples/digits-sghmc.yaml --set sampling.chains=8 --set prior.gaussian.deviation=1
              peo sample --resume runs/digits-sghmc

            The configuration has prior and sampling in the place of training, and a rule that samples (sgld, psgld, sghmc,
            sgnht), or a posterior that is approximated otherwise: ensemble, swag, or variational with the rule ivon or bsam
            (peo list posteriors). Draws stream to the run's samples/, as safetensors; result.json says whether the chains
            agree (split R̂, effective sizes). A run that was killed resumes with the same bits. A step size that explodes
            stops the run (75); the draws so far are kept. peo report RUN shows traces, autocorrelations and marginals.
            """)

    @OptionGroup var options: RunOptions

    func run() throws {
        Interruption.listen()
        Libtorch.keepFreedMemory()
        let prepared = try prepare()
        try options.index(prepared) { directory in
            do {
                try options.report(try prepared.train(), directory)
            } catch let error as TrainingStopped {
                throw Self.explained(error, directory)
            }
        }
    }

    private func prepare() throws -> PreparedRun {
        let overrides = try options.overrides()
        if let resume = options.resume {
            let run = URL(fileURLWithPath: resume)
            let own = try RunConfigs.read(run.appendingPathComponent("config.yaml"))
            guard own is SamplingConfig else {
                throw UsageError(
                    message: "\(resume) is a run that trains; go on with: peo train --resume \(resume)")
            }
            let given = try options.config.map { try samplingConfig($0, overrides) }
            return try Experiment.resume(run, given: given, longer: given == nil ? overrides : []) {
                options.reporter(resuming: resume, at: $0)
            }
        }
        guard let config = options.config else { throw UsageError(message: "a configuration is needed") }
        return try SamplingExperiment(try samplingConfig(config, overrides), name: options.name(of: config))
            .start(output: options.output, reporter: options.reporter)
    }

    private func samplingConfig(_ path: String, _ overrides: [ConfigOverride]) throws -> SamplingConfig {
        guard
            let config = try RunConfigs.read(URL(fileURLWithPath: path), overrides: overrides)
                as? SamplingConfig
        else {
            throw ConfigError(
                .badValue,
                "has no 'sampling', and so is to be trained (peo train); allowed: a configuration with model, data, prior, "
                    + "sampling and a rule that samples", file: path)
        }
        return config
    }

    /// The error with the way on.
    private static func explained(_ error: TrainingStopped, _ directory: URL) -> TrainingStopped {
        var explained = error
        explained.message +=
            error.code == .interrupted
            ? "\nGo on with: peo sample --resume \(directory.shownPath)"
            : "\nDraws, if there were any, are in \(directory.shownPath)/samples. To sample with another step size, start a new run."
        return explained
    }
}
