import PerturbedEquations
import PerturbedTorch
import Torch
import TorchNN

/// One logical step of training: the five stages of the pipeline, in their order.
///
/// ```
/// forward → gradient → perturbation → update equation → step
/// L(θ)      g = ∇L(θ)  ĝ = clip(g)+δ   Δ = D(ĝ; m, v…)    θ ← θ − η·Δ
/// ```
struct TrainingStep {
    let model: any Module
    let optimizer: ModelOptimizer
    let loss: Loss
    /// Where dropout's masks come from: addressed by the step, so that a resumed run draws the same.
    let dropout: NoiseKey

    /// What batch normalisation has learnt, so that a step which is not applied teaches it nothing.
    let buffers: BufferKeeper

    /// σ(t), for layers that are told: the inputs' own noise, or else the gradient's.
    var inputNoise: InputNoise?
    var precision = Precision.float32
    var device = Device.cpu

    /// What a step gave.
    struct Outcome {
        /// The mean loss over the logical batch's targets, before the update.
        var loss: Double
        /// The share of the batch's targets that were classified rightly; nil unless measured, and for numbers.
        var accuracy: Double?
        var report: StepReport
    }

    var sigma: Double {
        inputNoise.map { $0.sigma.value(at: optimizer.core.step) } ?? optimizer.core.sigma ?? 0
    }

    /// Takes the step number `optimizer.core.step` on a logical batch.
    ///
    /// - Parameters:
    ///   - examples: the logical batch, cut into micro-batches whose gradients add up to its mean.
    ///   - epoch: of the batch, which addresses augmentation.
    ///   - measure: whether to measure accuracy, ‖g‖ and ‖δ‖ too, which takes time.
    func take(
        _ examples: [ArraySlice<Int>], from loader: some BatchSource, epoch: Int, measure: Bool
    ) throws -> Outcome {
        let count = examples.reduce(0) { $0 + loader.targetCount(of: $1) }
        var correct = 0
        let classifies = if case .crossEntropy = loss { true } else { false }
        buffers.keep()
        // A parameter perturbation evaluates the same batch more than once, at parameters of its choice.
        let report = try optimizer.step(measure: measure) { evaluation in
            try evaluate(examples, of: count, from: loader, epoch, evaluation) { scores, targets in
                if measure && classifies && evaluation.isFirst {
                    correct += loss.countCorrect(scores, targets)
                }
            }
            // 3. Perturbation: ĝ = clip(g) + δ(t), by the equation's terms, within the stability controller's bounds.
            // 4. Update equation: Δ = D(ĝ; state), by the equation's rule.
            // 5. Step: θ ← θ − η(t)·Δ.
            // The optimizer does the three in one pass over memory, a block at a time.
        }
        // A rollback has brought the snapshot's own back.
        if report.outcome == .skippedNonFinite { buffers.restore() }
        return Outcome(
            loss: report.loss ?? .nan,
            accuracy: measure && classifies ? Double(correct) / Double(count) : nil,
            report: report)
    }

    /// The mean loss of the logical batch of `count` targets, and its gradient where that is wanted.
    private func evaluate(
        _ examples: [ArraySlice<Int>], of count: Int, from loader: some BatchSource, _ epoch: Int,
        _ evaluation: ObjectiveEvaluation,
        seen: (_ scores: Tensor, _ targets: Tensor) -> Void
    ) throws -> Double {
        var mean = 0.0
        let signals = optimizer.signals
        if evaluation.needsGradient { signals?.begin(estimating: evaluation.isFirst) }
        for (number, positions) in examples.enumerated() {
            let batch = try loader.load(.init(positions, step: evaluation.step, epoch: epoch))
                .moved(to: device)
            let share = Double(loader.targetCount(of: positions)) / Double(count)
            let seed = dropout.derived(UInt64(number)).word(UInt64(evaluation.step))

            // 1. Forward: the loss of this model on this batch, L(θ).
            let context = ForwardContext(
                training: true, seed: seed, sigma: sigma, learnsStatistics: evaluation.isFirst)
            func forward() -> Tensor { precision.forward(model, batch.inputs, context) }
            // A term may need the loss's second derivative.
            let scores = signals.map { $0.recording(forward) } ?? forward()
            let value = loss(scores, batch.targets)
            seen(scores, batch.targets)
            try Libtorch.checkHeldFailure()
            // A GPU's queue is not waited for before the backward pass is in it.
            defer { mean += value.item() * share }

            // 2. Gradient: g = ∇L(θ), the mean over the logical batch.
            guard evaluation.needsGradient else { continue }
            try observe(value, signals, share: share)
            let isTaken = signals?.takesGradients == true
            try (examples.count == 1 || isTaken ? value : value * share).backward()
            if evaluation.isFirst, number == 0, examples.count > 1, optimizer.core.needsSmallBatch {
                try optimizer.noteSmallBatch(
                    share: isTaken ? 1 : share, examples: loader.targetCount(of: positions), of: count)
            }
            if isTaken {
                try signals?.takeGradients(share: share)
            }
        }
        return mean
    }

    private func observe(_ loss: Tensor, _ signals: TermSignals?, share: Double) throws {
        do {
            try signals?.observe(loss, share: share)
        } catch let error as TorchError where error.isMissingDerivative {
            let words = error.message.split(separator: "\n").first ?? ""
            throw ConfigurationError(
                "has a term that needs the Hessian's diagonal, but an operation of the model has no second derivative "
                    + "(\(words)); allowed: with this model, terms that need none (source: secondMoment)",
                path: "perturbation")
        }
    }
}
