import PerturbedEquations
import Torch

/// How long and on what batches a model is trained: the `training` block of a configuration.
///
/// ```yaml
/// training: {epochs: 20, batchSize: 64, seed: 1}
/// training: {steps: 5000, evaluateEvery: {steps: 500}, validation: {fraction: 0.1}}
/// training: {epochs: 20, inputNoise: {sigma: 0.1}, labelNoise: {rate: 0.1}}
/// ```
public struct TrainingSettings: Codable, Sendable {
    /// Passes over the training data; exactly one of `epochs` and `steps` is given.
    public var epochs: Int?
    /// Logical steps.
    public var steps: Int?
    /// Samples of one logical step, ≥ 1 (default 64). The last batch of an epoch holds what is left.
    public var batchSize = 64
    /// What every random number of the run derives from (default 1).
    public var seed: UInt64 = 1
    /// Threads of the computation; nil means one for each core. Written into the run's config, since another
    /// number may add floats in another order.
    public var threads: Int?
    /// When the model is evaluated and the best one kept (default: after each epoch).
    public var evaluateEvery = Interval.epochs(1)
    /// When a checkpoint is written (default: after each epoch).
    public var checkpointEvery = Interval.epochs(1)
    /// Steps between two lines of training metrics, ≥ 1 (default 10).
    public var logEvery = 10
    /// Whether the lines of training metrics also have the effective perturbation ‖ηD(g+δ) − ηD(g)‖/‖ηD(g)‖ (default
    /// false). Each of those steps then runs the rule twice more.
    public var logEffectivePerturbation = false
    /// Micro-batches that a batch is split into, ≥ 1 (default 1): their gradients add up to the mean over the
    /// batch, so that memory shrinks and the result stays. The perturbation is drawn once for the whole.
    public var accumulate = 1
    /// Ends the run when evaluation stops to improve; nil (the default) never does.
    public var earlyStop: EarlyStop?
    /// What is made small: for classes `crossEntropy`, the default; for numbers `mse`, the default, or `mae`.
    public var loss: LossChoice?
    /// What the best evaluation is the best in: for classes accuracy (the default) or loss, for tokens loss, perplexity or
    /// accuracy, for numbers rmse, mae or loss. An early stop's metric says it too.
    public var bestBy: Metric?
    /// Share of the target that is spread over all classes, in [0, 1) (default 0).
    public var labelSmoothing = 0.0
    /// Noise on the inputs of each training step; none by default.
    public var inputNoise: InputNoise?
    /// Wrong labels in training; none by default.
    public var labelNoise: LabelNoise?
    /// Noise on the numbers to predict, in training; none by default.
    public var targetNoise: TargetNoise?
    /// Other views of the images in each epoch of training; none by default.
    public var augment: Augmentation?
    /// Damage to the images in training; none by default.
    public var corrupt: Corruption?
    /// Whether a thread of its own prepares the next batch (default true). The bits are the same either way.
    package var loadsInBackground = true
    /// The mean of the weights that is evaluated and saved; none by default.
    public var average: WeightAverage?
    /// The arithmetic of the forward and backward passes (default float32).
    public var precision = Precision.float32
    /// The type in which the weights are kept (default float32).
    public var weights = WeightType.float32
    /// Where the model computes (default cpu). On a GPU the update is still the CPU's, on copies, with the same bits.
    public var device = Device.cpu
    /// Whether the update works on copies where it could do without.
    package var stagesUpdate = false
    /// Training data held out for evaluation; without it, evaluation is on the test data.
    public var validation: Validation?

    /// A part of the training data that is not trained on.
    public struct Validation: Codable, Sendable, Equatable {
        /// The share of the training samples, in (0, 1). Which ones depends on the data set alone, so that runs
        /// with different seeds are judged on the same samples.
        public var fraction: Double

        public init(fraction: Double) { self.fraction = fraction }
    }

    public init(epochs: Int) { self.epochs = epochs }
    public init(steps: Int) { self.steps = steps }

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case epochs, steps, batchSize, seed, threads, evaluateEvery, checkpointEvery, logEvery, accumulate
        case logEffectivePerturbation
        case earlyStop, labelSmoothing, inputNoise, labelNoise, augment, corrupt, validation, average,
            precision, weights
        case device, loss, bestBy, targetNoise
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func read<T: Decodable>(_ key: CodingKeys, _ value: inout T) throws {
            value = try container.decodeIfPresent(T.self, forKey: key) ?? value
        }
        func check(_ condition: Bool, _ key: CodingKeys, _ message: @autoclosure () -> String) throws {
            guard !condition else { return }
            throw DecodingError.dataCorruptedError(forKey: key, in: container, debugDescription: message())
        }
        // Every key is asked for before the first check, so that a misspelt one is told all that are allowed.
        epochs = try container.decodeIfPresent(Int.self, forKey: .epochs)
        steps = try container.decodeIfPresent(Int.self, forKey: .steps)
        try read(.batchSize, &batchSize)
        try read(.seed, &seed)
        threads = try container.decodeIfPresent(Int.self, forKey: .threads)
        try read(.evaluateEvery, &evaluateEvery)
        try read(.checkpointEvery, &checkpointEvery)
        try read(.logEvery, &logEvery)
        try read(.logEffectivePerturbation, &logEffectivePerturbation)
        try read(.accumulate, &accumulate)
        earlyStop = try container.decodeIfPresent(EarlyStop.self, forKey: .earlyStop)
        try read(.labelSmoothing, &labelSmoothing)
        inputNoise = try container.decodeIfPresent(InputNoise.self, forKey: .inputNoise)
        labelNoise = try container.decodeIfPresent(LabelNoise.self, forKey: .labelNoise)
        loss = try container.decodeIfPresent(LossChoice.self, forKey: .loss)
        bestBy = try container.decodeIfPresent(Metric.self, forKey: .bestBy)
        targetNoise = try container.decodeIfPresent(TargetNoise.self, forKey: .targetNoise)
        augment = try container.decodeIfPresent(Augmentation.self, forKey: .augment)
        corrupt = try container.decodeIfPresent(Corruption.self, forKey: .corrupt)
        validation = try container.decodeIfPresent(Validation.self, forKey: .validation)
        average = try container.decodeIfPresent(WeightAverage.self, forKey: .average)
        try read(.precision, &precision)
        try read(.weights, &weights)
        try read(.device, &device)

        let limit = 1_000_000_000
        guard epochs != nil || steps != nil else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "needs 'epochs' or 'steps'"))
        }
        try check(epochs == nil || steps == nil, .steps, "'epochs' is given too; give one of the two")
        try check((1...limit).contains(epochs ?? 1), .epochs, "is \(epochs ?? 0); allowed: 1 to \(limit)")
        try check((1...limit).contains(steps ?? 1), .steps, "is \(steps ?? 0); allowed: 1 to \(limit)")
        try check((1...limit).contains(batchSize), .batchSize, "is \(batchSize); allowed: 1 to \(limit)")
        try check((1...1024).contains(threads ?? 1), .threads, "is \(threads ?? 0); allowed: 1 to 1024")
        try check(logEvery >= 1, .logEvery, "is \(logEvery); allowed: 1 or more")
        try check(
            (1...batchSize).contains(accumulate), .accumulate,
            "is \(accumulate); allowed: 1 to batchSize (\(batchSize))")
        try check(
            labelSmoothing >= 0 && labelSmoothing < 1, .labelSmoothing,
            "is \(labelSmoothing); allowed: 0 or more, less than 1")
        let fraction = validation?.fraction ?? 0.5
        try check(
            fraction > 0 && fraction < 1, .validation,
            "fraction is \(fraction); allowed: more than 0, less than 1")
    }
}

extension TrainingSettings {
    /// Refuses a device that this machine, or this libtorch, does not have.
    package func requireDevice() throws {
        guard device != .cpu, !Device.all.contains(device) else { return }
        let count = Device.cudaCount
        throw ConfigurationError(
            "is '\(device)', and this libtorch (\(Libtorch.version), \(Libtorch.gpuSupport)) sees "
                + "\(count == 0 ? "no" : "\(count)") CUDA device\(count == 1 ? "" : "s"); allowed here: "
                + Device.all.map(\.description).joined(separator: ", "), path: "training.device")
    }
}

/// A recurring moment: every so many epochs (`2`, or `{epochs: 2}`) or steps (`{steps: 500}`).
public enum Interval: Codable, Sendable, Equatable {
    case epochs(Int)
    case steps(Int)

    private enum CodingKeys: String, CodingKey { case epochs, steps }

    public init(from decoder: any Decoder) throws {
        let count: Int
        if let number = try? decoder.singleValueContainer().decode(Int.self) {
            (self, count) = (.epochs(number), number)
        } else {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            let epochs = try container.decodeIfPresent(Int.self, forKey: .epochs)
            let steps = try container.decodeIfPresent(Int.self, forKey: .steps)
            switch (epochs, steps) {
            case (let number?, nil): (self, count) = (.epochs(number), number)
            case (nil, let number?): (self, count) = (.steps(number), number)
            default:
                throw DecodingError.dataCorruptedError(
                    forKey: .epochs, in: container, debugDescription: "give one of 'epochs' and 'steps'")
            }
        }
        guard count >= 1 else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "is \(count); allowed: 1 or more"))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .epochs(let count): try container.encode(count, forKey: .epochs)
        case .steps(let count): try container.encode(count, forKey: .steps)
        }
    }

    /// Whether the moment has come after `step` steps; `epochsEnded` is set if the step ended an epoch, and
    /// counts the epochs that are over.
    func isDue(step: Int, epochsEnded: Int?) -> Bool {
        switch self {
        case .steps(let count): step % count == 0
        case .epochs(let count): epochsEnded.map { $0 % count == 0 } ?? false
        }
    }
}
