import ArgumentParser
import Experiments
import Foundation
import Safetensors
import Torch
import Training

/// `peo train`
struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Train the model or the agent that a configuration describes, or go on with a run.",
        discussion: """
            Examples:
              peo train Examples/digits-cnn.yaml
              peo train Examples/cartpole-ppo.yaml
              peo train Examples/digits-cnn.yaml --set training.epochs=5 --set perturbation.0.gaussian.sigma=0.02
              peo train Examples/digits-cnn.yaml --model exported-from-python.pt
              peo train Examples/char-gpt.yaml --model directory-of-a-gpt2
              peo train --resume runs/digits-cnn
              peo train --resume runs/digits-cnn --set training.epochs=40

            A run is a directory with its resolved configuration, metrics, checkpoints and result. It never overwrites
            another: if runs/digits-cnn exists, the next one is runs/digits-cnn-2. Ctrl-C finishes the step, saves and
            says how to resume; a run that was killed resumes with the same bits. A run may be made longer when it is resumed;
            schedules without a length of their own then follow the new one from where they are.
            """)

    @OptionGroup var options: RunOptions

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Train this TorchScript file, or GPT-2 of Hugging Face's form, in place of the configuration's model.",
            valueName: "script.pt|directory"),
        completion: .file())
    var model: String?

    // For programs that start cells: a run must not outlive them.
    @Flag(name: .long, help: .hidden)
    var stopWithInput = false

    // For programs that start cells: a run of another name would be lost to them.
    @Flag(name: .long, help: .hidden)
    var exactOutput = false

    // For searches: the run waits once this share of its steps is taken.
    @Option(name: .long, help: .hidden)
    var pauseAt: Double?

    func validate() throws {
        if options.config == nil, model != nil {
            throw ValidationError("--model needs a <config> for all the rest")
        }
    }

    func run() throws {
        Interruption.listen()
        if stopWithInput { Interruption.requestAtEndOfInput() }
        Libtorch.keepFreedMemory()
        let prepared = try prepare()
        try options.index(prepared) { directory in
            do {
                switch try prepared.train(pausingAt: pauseAt ?? 1) {
                case .finished(let result): try options.report(result, directory)
                case .paused(let pause):
                    try Output.writeJSON(PauseReport(run: directory.shownPath, pause: pause))
                }
            } catch let error as TrainingStopped {
                throw Self.explained(error, directory)
            }
        }
    }

    /// What a run that waits prints.
    private struct PauseReport: Encodable {
        var run: String
        var pause: PausedRun
    }

    private func prepare() throws -> PreparedRun {
        var overrides = try options.overrides()
        if let model { overrides.insert(ConfigOverride(modelFile: model), at: 0) }
        let given = try options.config.map {
            try RunConfigs.read(URL(fileURLWithPath: $0), overrides: overrides)
        }
        if let resume = options.resume {
            let own = URL(fileURLWithPath: resume).appendingPathComponent("config.yaml")
            // A run that cannot be read is named by what resumes it.
            guard !((try? RunConfigs.read(own)) is SamplingConfig) else {
                throw UsageError(
                    message: "\(resume) is a run that samples; go on with: peo sample --resume \(resume)")
            }
            return try Experiment.resume(
                URL(fileURLWithPath: resume), given: given, longer: given == nil ? overrides : []
            ) { options.reporter(resuming: resume, at: $0) }
        }
        guard let config = options.config, let given else {
            throw UsageError(message: "a configuration is needed")
        }
        let name = options.name(of: config)
        if let agent = given as? AgentConfig {
            return try AgentExperiment(agent, name: name).start(
                output: options.output, exactly: exactOutput, reporter: options.reporter)
        }
        guard let model = given as? ExperimentConfig else {
            throw UsageError(
                message: "\(config) has 'sampling', and so is to be sampled: peo sample \(config)")
        }
        return try Experiment(model, name: name).start(
            output: options.output, exactly: exactOutput, reporter: options.reporter)
    }

    /// The error with the way on: how to resume, or that it is no use.
    private static func explained(_ error: TrainingStopped, _ directory: URL) -> TrainingStopped {
        var explained = error
        if let step = error.checkpointStep {
            explained.message += "\nThe checkpoint of step \(step) is in \(directory.shownPath). "
            explained.message +=
                error.code == .interrupted
                ? "Go on with: peo train --resume \(directory.shownPath)"
                : "Its weights can be used; to train on from other settings, start a new run."
        }
        return explained
    }
}

extension URL {
    /// The path as a user would write it.
    var shownPath: String {
        relativePath.hasPrefix("./") ? String(relativePath.dropFirst(2)) : relativePath
    }
}
