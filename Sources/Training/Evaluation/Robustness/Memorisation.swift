import Datasets
import PerturbedEquations
import Torch
import TorchNN

/// What a model made of wrong labels that it was trained on: it may have learnt them by heart, or not.
///
/// Where `training.labelNoise` is drawn once, each training example has a label that it was trained on, which is the true
/// one or a wrong one. A model that resists the noise agrees with the true labels of both; one that memorises agrees with
/// the wrong ones.
///
/// Sources: Zhang et al. 2017, Understanding Deep Learning Requires Rethinking Generalization; Arpit et al. 2017, A Closer
/// Look at Memorization in Deep Networks.
public struct Memorisation: Codable, Sendable, Equatable {
    /// Training examples of one sort.
    public struct Part: Codable, Sendable, Equatable {
        public var count = 0
        /// The share whose true label, and whose label in training, has the largest score; nil where there are none.
        public var trueAccuracy: Double?
        public var trainedAccuracy: Double?
        /// The mean loss against the two.
        public var trueLoss: Double?
        public var trainedLoss: Double?
    }

    public var rightlyLabelled: Part
    public var wronglyLabelled: Part

    /// Measures the plan's model on its training data.
    ///
    /// - Parameter step: logical steps that were taken.
    /// - Returns: nil unless the plan has label noise that is drawn once, and an example has one class.
    /// - Throws: `ConfigurationError` for a schedule that leaves its range; `ModelError`, `TorchError`;
    ///   ``TrainingStopped`` where a stop was asked for.
    public static func measure(_ plan: TrainingPlan, step: Int) throws -> Memorisation? {
        guard case .oneClass(let classes) = plan.data.kind.target,
            let labels = try FixedLabels(plan, step: step)
        else { return nil }
        // Of each sort: against the true labels, and against those of training.
        var sums = [ClassQuality.Sums](repeating: .init(classes: classes), count: 4)
        let device = plan.model.parameters.first?.tensor.device ?? .cpu
        try Evaluation.forEachBatch(of: plan.data.train, plan.data.kind, on: device) { batch, positions in
            let scores = withoutGradients { plan.model.forward(batch.inputs, .evaluation) }
            try Libtorch.checkHeldFailure()
            let rows = try scores.moved(to: .cpu).contiguous().array(of: Float.self)
            let truth = try batch.targets.moved(to: .cpu).array(of: Int64.self)
            let trained = labels.labels(truth, of: positions)
            for row in truth.indices {
                let own = Array(rows[row * classes..<(row + 1) * classes])
                let sort = truth[row] == trained[row] ? 0 : 2
                try sums[sort].add(own, targets: [truth[row]])
                try sums[sort + 1].add(own, targets: [trained[row]])
            }
        }
        func part(_ first: Int) -> Part {
            let (truth, trained) = (sums[first].quality, sums[first + 1].quality)
            guard truth.count > 0 else { return Part() }
            return Part(
                count: truth.count, trueAccuracy: truth.accuracy, trainedAccuracy: trained.accuracy,
                trueLoss: truth.loss, trainedLoss: trained.loss)
        }
        return Memorisation(rightlyLabelled: part(0), wronglyLabelled: part(2))
    }
}

/// The labels that examples keep through a run: those of label noise that is drawn once.
struct FixedLabels {
    private let noise: LabelNoise
    private let classes: Int
    private let key: NoiseKey
    private let step: Int

    /// - Parameter step: logical steps that were taken; the labels are those of the last.
    init?(_ plan: TrainingPlan, step: Int) throws {
        guard plan.settings.labelNoise?.redraw == .once, let noise = try plan.noise().labels else {
            return nil
        }
        self.noise = noise
        classes = plan.data.kind.target.classes
        key = NoiseKey(seed: plan.settings.seed)
        self.step = max(0, step - 1)
    }

    func labels(_ truth: [Int64], of examples: ArraySlice<Int>) -> [Int64] {
        var labels = truth
        labels.withUnsafeMutableBufferPointer {
            noise.apply(to: $0, classes: classes, key: key, step: step, examples: examples)
        }
        return labels
    }
}
