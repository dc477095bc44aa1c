import Datasets
import PerturbedEquations
import PerturbedTorch
import Torch
import TorchNN

/// All that a run is made of, built and ready.
public struct TrainingPlan {
    /// The run's name, for people.
    public var name: String
    /// The model's name in the catalogue.
    public var modelName: String
    public var model: any Module
    public var data: Dataset
    public var equation: PerturbedEquation
    public var groups: [ParameterGroup]
    public var settings: TrainingSettings

    public init(
        name: String, modelName: String, model: any Module, data: Dataset, equation: PerturbedEquation,
        groups: [ParameterGroup] = [], settings: TrainingSettings
    ) {
        self.name = name
        self.modelName = modelName
        self.model = model
        self.data = data
        self.equation = equation
        self.groups = groups
        self.settings = settings
    }

    /// The optimizer of this plan. The model moves to the device of the settings, and its weights get the type that they say.
    /// - Throws: `ConfigurationError` for an equation that cannot be used, or does not fit the model; and for
    ///   batches that the model cannot be trained on; `TorchError` where the device has no memory for the model.
    public func makeOptimizer() throws -> ModelOptimizer {
        try settings.requireDevice()
        try requireTask()
        try convertWeights()
        try model.move(to: settings.device)
        try requireBatchesToNormalise()
        let optimizer = try ModelOptimizer(
            model, equation: equation, groups: groups, seed: settings.seed, horizon: totalSteps,
            stepsPerEpoch: stepsPerEpoch, isStaged: settings.stagesUpdate)
        optimizer.core.reportsEffectivePerturbation = settings.logEffectivePerturbation
        if optimizer.core.needsSmallBatch { try requireMicroBatches() }
        // A schedule of the data's noise is at fault before the run's directory is made, not after.
        if try noise().inputs == nil && optimizer.core.sigma == nil
            && !model.submodules(of: SigmaConditioning.self).isEmpty
        {
            throw ConfigurationError(
                "is true, but there is no σ(t) to tell; allowed: with training.inputNoise, or a noise term whose "
                    + "sigma is absolute", path: "model.\(modelName).conditioned")
        }
        try requireMicroBatches(for: optimizer.core.possibleSignals)
        try requireAverage()
        return optimizer
    }

    private func convertWeights() throws {
        guard settings.weights != .float32 else { return }
        if let foreign = model as? any ExportableModule, foreign.keepsTypes {
            throw ConfigurationError(
                "is \(settings.weights.rawValue), but the operations of \(foreign.exportName) are its own, and take the "
                    + "weights that it was exported with; allowed with TorchScript: float32",
                path: "training.weights")
        }
        try model.convertWeights(to: settings.weights.dtype)
    }

    /// Gives the weights of a model that was built anew the values that they had in training, in whatever type they are: what
    /// nothing changes, and means of weights, had been rounded there too.
    package func roundWeights() {
        guard settings.weights != .float32 else { return }
        for named in model.allWeights {
            named.tensor.copy(from: named.tensor.detached().converted(to: settings.weights.dtype))
        }
    }

    /// Refuses a mean of the weights that takes in no step, or whose model cannot learn its statistics anew.
    private func requireAverage() throws {
        guard case .swa(let from, let every) = settings.average else { return }
        try PerturbedEquations.require(
            from + every <= totalSteps, "training.average.swa.from", is: "\(from), with every \(every)",
            allowed: "what leaves a step of the run's \(totalSteps) to take in")
        guard let foreign = model as? any ExportableModule, !foreign.buffers.isEmpty else { return }
        throw ConfigurationError(
            "is set, but \(foreign.exportName) has buffers (\(foreign.buffers[0].name), …), which belong to other weights "
                + "than the mean; allowed: with TorchScript, modules without buffers, or {ema: …}, which follows them",
            path: "training.average.swa")
    }

    /// What takes this plan's steps.
    func step(_ optimizer: ModelOptimizer, _ noise: BatchNoise) -> TrainingStep {
        TrainingStep(
            model: model, optimizer: optimizer, loss: loss,
            dropout: NoiseKey(seed: settings.seed).derived("dropout"), buffers: BufferKeeper(model),
            inputNoise: noise.inputs, precision: settings.precision, device: settings.device)
    }

    /// The noise on this plan's batches.
    package func noise() throws -> BatchNoise {
        if settings.inputNoise != nil, case .tokens = data.kind.input {
            throw ConfigurationError(
                "is set, but the data are tokens; allowed: with data that are numbers (tokens have a model's neftune)",
                path: "training.inputNoise")
        }
        return try BatchNoise(
            settings, data: data, run: RunLength(steps: totalSteps, stepsPerEpoch: stepsPerEpoch))
    }

    /// Refuses batches without parts where a controller compares a part with the whole.
    private func requireMicroBatches() throws {
        try PerturbedEquations.require(
            settings.accumulate >= 2, "training.accumulate", is: settings.accumulate,
            allowed:
                "2 or more with the controller gradientNoiseScale, which compares the first micro-batch with "
                + "the whole batch")
        try PerturbedEquations.require(
            data.train.examplesPerEpoch % settings.batchSize != 1, "training.batchSize",
            is: settings.batchSize,
            allowed: "with the controller gradientNoiseScale a size that leaves no last batch of one example "
                + "(there are \(data.train.examplesPerEpoch))")
        try PerturbedEquations.require(
            equation.parameterPerturbation == nil, "controllers", is: "gradientNoiseScale",
            allowed: "with a parameter perturbation: others")
    }

    /// Refuses what leaves a step with fewer than two micro-batches where a term is made of them.
    private func requireMicroBatches(for signals: Set<Signal>) throws {
        if let signal = signals.map(\.rawValue).min() {
            try PerturbedEquations.require(
                equation.parameterPerturbation == nil, "perturbation",
                is: "with a term that needs the signal \(signal)",
                allowed: "with a parameter perturbation: terms that need none")
        }
        guard let signal = signals.filter(\.needsMicroBatches).map(\.rawValue).min() else { return }
        let why = "and a term of the perturbation needs the signal \(signal), which is made of micro-batches"
        guard settings.accumulate >= 2 else {
            throw ConfigurationError(
                "is \(settings.accumulate), \(why); allowed: 2 or more", path: "training.accumulate")
        }
        let last = data.train.examplesPerEpoch % settings.batchSize
        guard settings.batchSize >= 2, last != 1 else {
            throw ConfigurationError(
                "is \(settings.batchSize), of which a batch of \(data.train.examplesPerEpoch) examples has one, \(why); allowed: "
                    + "sizes of which every batch, the last one too, has 2 or more",
                path: "training.batchSize")
        }
    }

    /// Refuses batches of one example where the model normalises vectors over the batch: one has no variance.
    private func requireBatchesToNormalise() throws {
        guard model.submodules(of: BatchNorm.self).contains(where: { $0.input == .vectors }) else { return }
        let size = settings.batchSize
        let last = data.train.examplesPerEpoch % size
        for batch in [min(size, data.train.examplesPerEpoch), last] where batch > 0 {
            let smallest = batch / min(settings.accumulate, batch)
            guard smallest > 1 else {
                throw ConfigurationError(
                    "is \(size) with accumulate \(settings.accumulate), which makes a batch of \(smallest) of "
                        + "\(data.train.examplesPerEpoch) examples; allowed with batch normalisation: sizes of which every "
                        + "batch, the last one too, has 2 or more", path: "training.batchSize")
            }
        }
    }

    /// Batches of one epoch.
    package var stepsPerEpoch: Int {
        TrainingPlan.batches(of: data.train.examplesPerEpoch, size: settings.batchSize)
    }

    /// Logical steps of the whole run: the horizon of its schedules.
    public var totalSteps: Int { settings.steps ?? (settings.epochs ?? 1) * stepsPerEpoch }

    /// Epochs of the whole run, a last unfinished one included.
    var totalEpochs: Int { settings.epochs ?? (totalSteps + stepsPerEpoch - 1) / stepsPerEpoch }

    /// What the model is judged by during the run, and its name.
    var evaluated: (kind: MetricsRecord.Kind, split: DataSplit) {
        data.validation.map { (.validation, $0) } ?? (.test, data.test)
    }

    /// The number of batches that `count` examples make.
    static func batches(of count: Int, size: Int) -> Int { max(1, (count + size - 1) / size) }

    /// One batch's examples, cut into `parts` micro-batches of almost equal size.
    static func microBatches(_ examples: ArraySlice<Int>, parts: Int) -> [ArraySlice<Int>] {
        guard parts > 1 else { return [examples] }
        let parts = min(parts, examples.count)
        return (0..<parts).map { part in
            let start = examples.startIndex + examples.count * part / parts
            let end = examples.startIndex + examples.count * (part + 1) / parts
            return examples[start..<end]
        }
    }
}
