import ArgumentParser
import Datasets
import Environments
import Experiments
import Foundation
import Models
import PerturbedEquations
import PosteriorSampling
import ReinforcementLearning
import Safetensors
import Tokenizers
import Torch
import TorchNN
import Training

/// Turns any error into a message, a stable code and an exit code (those of sysexits.h).
struct ErrorPresenter: Encodable {
    /// A stable name of the kind of error, for programs.
    var code: String
    /// What is wrong, with what, and what is allowed or can be done.
    var message: String
    var exitCode: Int32

    init(_ code: String, _ message: String, exit: Int32) {
        self.code = code
        self.message = message
        exitCode = exit
    }

    init(_ error: any Error) {
        switch error {
        case let error as ConfigError:
            self.init("config.\(error.code.rawValue)", "\(error)", exit: error.code == .badOverride ? 64 : 65)
        case let error as ConfigurationError: self.init("config.badValue", "\(error)", exit: 65)
        case let error as ModelError: self.init("model.\(error.code.rawValue)", error.message, exit: 65)
        case let error as EnvironmentError:
            self.init("environment.\(error.code.rawValue)", error.message, exit: 65)
        case let error as ReplayBufferError:
            self.init("replay.\(error.code.rawValue)", error.message, exit: error.code == .memory ? 71 : 65)
        case let error as SamplingStateError: self.init("sampling.state", error.message, exit: 65)
        case let error as SamplingDivergence: self.init("sampling.diverged", error.description, exit: 75)
        case let error as LearnerStateError: self.init("agent.state", error.message, exit: 65)
        case let error as DatasetError:
            self.init(error.code.rawValue, error.message, exit: error.isMissingInput ? 66 : 65)
        case let error as CheckpointError:
            self.init(error.code.rawValue, error.message, exit: error.code == .missing ? 66 : 65)
        case let error as StateDictionaryError:
            self.init("weights.\(error.code.rawValue)", error.message, exit: 65)
        case let error as SafetensorsError: self.init(error.code.rawValue, error.message, exit: 65)
        case let error as TokenizerError:
            self.init("tokenizer.\(error.code.rawValue)", error.message, exit: 65)
        case let error as FileError: self.init(error.code, error.message, exit: Self.exitCode(of: error))
        case let error as TrainingStopped: self.init(error.code.rawValue, error.message, exit: 75)
        case let error as DivergenceError: self.init("diverged", error.description, exit: 75)
        case let error as MissingSignalError: self.init("config.missingSignal", error.description, exit: 65)
        case let error as TorchError where error.code == .outOfMemory:
            self.init(
                "outOfMemory",
                "there is not enough memory: \(error.operation) \(Self.wanted(error)). Make the model or "
                    + "training.batchSize smaller (training.accumulate keeps the logical batch), or free memory; a run "
                    + "that has a checkpoint goes on with --resume",
                exit: 71)
        case let error as TorchError where error.code == .script:
            self.init("model.script", "\(error.operation): \(error.message)", exit: 65)
        case let error as UsageError: self.init("usage", error.message, exit: 64)
        default: self.init("internal", "\(error) (this is a bug in peo; please report it)", exit: 70)
        }
    }

    /// What libtorch's words say was asked for, or the words.
    private static func wanted(_ error: TorchError) -> String {
        guard let match = error.message.firstMatch(of: /tried to allocate ([0-9.]+ ?[A-Za-z]+)/) else {
            return "failed, \(error.message)"
        }
        return "needs \(match.output.1) more"
    }

    private static func exitCode(of error: FileError) -> Int32 {
        switch (error.operation, error.reason) {
        case (_, .full), (.write, _), (.synchronise, _), (.rename, _): 74
        case (.create, _), (.lock, _), (.remove, _): 73
        case (.open, _), (.read, _): 66
        }
    }

    private struct Envelope: Encodable { let error: ErrorPresenter }

    /// Ends the process with the error's message and code.
    static func exit(with error: any Error) -> Never {
        // The outcome has been printed; the code alone is left to say.
        if let code = error as? ExitCode { Foundation.exit(code.rawValue) }
        let wantsJSON = CommandLine.arguments.dropFirst().contains("--json")
        // Help and version requests arrive as errors too; those, and mistakes in the arguments, are
        // ArgumentParser's to word.
        let known = ErrorPresenter(error)
        if known.code == "internal" {
            let status = Peo.exitCode(for: error)
            if status == .success || !wantsJSON && status == .validationFailure { Peo.exit(withError: error) }
            if status == .validationFailure {
                present(ErrorPresenter("usage", Peo.message(for: error), exit: 64), json: true)
            }
        }
        present(known, json: wantsJSON)
    }

    private static func present(_ error: ErrorPresenter, json: Bool) -> Never {
        if json {
            try? Output.writeJSON(Envelope(error: error))
        } else {
            let colour = Terminal.detect().hasColours
            Output.note((colour ? "\u{1B}[31merror:\u{1B}[0m " : "error: ") + error.message)
        }
        Foundation.exit(error.exitCode)
    }
}

/// A mistake in the arguments that only shows when they are used.
struct UsageError: Error {
    let message: String
}
