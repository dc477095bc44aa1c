import Datasets
import Foundation
import Safetensors
import Training

/// What an evaluation of a run found: `evaluation.json` in the run's directory, and what `peo evaluate` prints.
public struct EvaluationReport: Codable, Sendable, Equatable {
    /// The version of the format that this program writes.
    public static let currentVersion = 1

    public var version = Self.currentVersion
    /// The run's directory as it was named, and the run's name.
    public var run: String
    public var name: String
    /// The model's and the data set's name in the catalogue, and the number of weights.
    public var model: String
    public var data: String
    public var parameters: Int
    /// Of the run.
    public var trainingSeed: UInt64
    /// Which weights, after how many logical steps.
    public var weights: RunWeights
    public var step: Int
    /// On which part of the data quality, robustness and posterior were measured.
    public var split: EvaluatedSplit
    /// Of everything that is drawn.
    public var seed: UInt64
    /// The version of peo.
    public var peo: String
    /// The parts that were asked for and apply.
    public var quality: QualityReport?
    public var robustness: RobustnessReport?
    public var flatness: FlatnessReport?
    public var posterior: PosteriorReport?
    /// What does not apply to this run, and why.
    public var notes: [String] = []

    /// The name of the file in a run's directory.
    public static let fileName = "evaluation.json"

    /// Reads an `evaluation.json`.
    /// - Throws: `FileError` if it cannot be read; ``ConfigError`` if it is not one.
    public init(contentsOf url: URL) throws {
        let data = try MappedFile.contents(of: url)
        do {
            self = try JSON.decoder().decode(Self.self, from: data)
        } catch {
            throw ConfigError(
                .syntax, "is not what peo evaluate writes (\(error)); remove it, and evaluate the run again",
                file: url.path)
        }
        guard version <= Self.currentVersion else {
            throw ConfigError(
                .badValue,
                "has format version \(version); this peo reads up to version \(Self.currentVersion)",
                file: url.path)
        }
    }

    init(
        run: String, name: String, model: String, data: String, parameters: Int, trainingSeed: UInt64,
        weights: RunWeights, step: Int, split: EvaluatedSplit, seed: UInt64, peo: String
    ) {
        self.run = run
        self.name = name
        self.model = model
        self.data = data
        self.parameters = parameters
        self.trainingSeed = trainingSeed
        self.weights = weights
        self.step = step
        self.split = split
        self.seed = seed
        self.peo = peo
    }

    /// Writes it to the run's directory, atomically.
    /// - Throws: `FileError`.
    public func write(to directory: URL) throws {
        try JSON.write(self, to: directory.appendingPathComponent(Self.fileName))
    }
}

/// Which of a run's weights.
public enum RunWeights: String, Codable, Sendable, CaseIterable {
    /// Those that the run ended with.
    case final
    /// Those of its best evaluation.
    case best
    /// Those of its newest checkpoint that is whole.
    case latest
}

/// A part of a run's data.
public enum EvaluatedSplit: String, Codable, Sendable, CaseIterable {
    case test, validation, train
}

/// Part of an evaluation.
public enum EvaluationPart: String, Codable, Sendable, CaseIterable {
    case quality, robustness, flatness
    /// The predictive distribution: of a sampling run's draws, or of one run's weights to compare with.
    case posterior

    /// What is measured of one set of weights unless told.
    public static let ofWeights = [quality, robustness, flatness]
    /// What is measured of a posterior.
    public static let ofPosterior = [quality, posterior]
}

/// How good the predictions are.
public struct QualityReport: Codable, Sendable, Equatable {
    /// Loss and accuracy; for numbers rmse and mae in their own unit, for texts perplexity.
    public var evaluation: Evaluation
    /// For classes: Brier's score, calibration with its diagrams.
    public var classes: ClassQuality?
}

/// How far accuracy falls under attack and damage; for classes of examples that are numbers.
public struct RobustnessReport: Codable, Sendable, Equatable {
    /// Accuracy and loss under an attack.
    public struct Attack: Codable, Sendable, Equatable {
        /// `FGSM`, or `PGD-20`.
        public var name: String
        /// In ``units``; PGD moves by a quarter of it.
        public var epsilon: Double
        public var result: Evaluation
    }

    /// Accuracy and loss under damage.
    public struct Damage: Codable, Sendable, Equatable {
        public var name: InputDamage
        /// 1 to 5.
        public var severity: Int
        /// What the severity is: see `InputDamage`.
        public var strength: Double
        public var result: Evaluation
    }

    /// Accuracy and loss on inputs with Gaussian noise.
    public struct Noise: Codable, Sendable, Equatable {
        /// In ``units``.
        public var sigma: Double
        public var result: Evaluation
    }

    /// What ε and σ are in.
    public var units: InputUnits.Name
    /// Without attack or damage, on the examples that were attacked.
    public var clean: Evaluation?
    public var attacks: [Attack] = []
    public var damage: [Damage] = []
    public var noise: [Noise] = []
    /// What is expected against labels of which a share is drawn anew.
    public var labelNoise: [ClassQuality.UnderLabelNoise] = []
    /// Of a run that was trained with labels that stay wrong.
    public var memorisation: Memorisation?
}

/// How the loss on training examples curves around the weights.
public struct FlatnessReport: Codable, Sendable, Equatable {
    /// The training examples measured on.
    public var examples: Int
    /// L(θ) and ‖∇L(θ)‖ on them.
    public var loss: Double
    public var gradientNorm: Double
    /// nil where an operation of the model has no second derivative.
    public var topEigenvalue: TopEigenvalue?
    public var trace: HessianTrace?
    public var sharpness: [Sharpness]
    public var slices: [LossSlice]
    public var grid: LossGrid?
}
