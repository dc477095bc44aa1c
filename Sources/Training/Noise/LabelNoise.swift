import Datasets
import PerturbedEquations

/// Wrong labels in training: a share of them is drawn anew, evenly from all classes.
///
/// With probability ρ a label becomes a class drawn evenly, the true one included, so that P(wrong) = ρ·(C − 1)/C of C
/// classes. Evaluation, and the validation part, keep their labels; the loss and accuracy of training steps are those
/// against the labels trained on.
///
/// A label is a pure function of (seed, step, example), or of (seed, example) where it is drawn once: a resumed run
/// draws the same.
///
/// ```yaml
/// training: {labelNoise: {rate: 0.1}}                   # other labels at every step
/// training: {labelNoise: {rate: 0.4, redraw: once}}     # the same wrong labels for the whole run
/// ```
///
/// Sources: at every step, as a regulariser: HaoChen, Wei, Lee and Ma 2021, Shape Matters: Understanding the Implicit
/// Bias of the Noise Covariance; once, as damaged data: Zhang et al. 2017, Understanding Deep Learning Requires
/// Rethinking Generalization.
public struct LabelNoise: Codable, Sendable {
    /// When labels are drawn.
    public enum Redraw: String, Codable, Sendable, CaseIterable {
        /// Independently at every step.
        case everyStep
        /// Once for each example: a label stays wrong.
        case once
    }

    /// ρ(t), 0 ≤ ρ ≤ 1. With `once` a rising ρ adds wrong labels to those there are.
    public var rate: Scheduled
    /// everyStep unless told.
    public var redraw: Redraw

    public init(rate: Scheduled, redraw: Redraw = .everyStep) {
        self.rate = rate
        self.redraw = redraw
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        rate = try container.decode(Scheduled.self, forKey: .rate)
        redraw = try container.decodeIfPresent(Redraw.self, forKey: .redraw) ?? .everyStep
        try validate()
    }

    func validate() throws {
        try rate.require("rate", in: 0...1, allowed: "0 ≤ rate ≤ 1")
    }

    /// Draws the labels of a batch. A label that is not asked for (−100) stays so.
    ///
    /// - Parameters:
    ///   - labels: as many for each example, one after the other.
    ///   - classes: C ≥ 1.
    ///   - examples: the number of each example in the training data.
    package func apply(
        to labels: UnsafeMutableBufferPointer<Int64>, classes: Int, key: NoiseKey, step: Int,
        examples: ArraySlice<Int>
    ) {
        let rate = rate.value(at: step)
        guard rate > 0 else { return }
        let key = key.derived("labelNoise").derived(redraw == .once ? .max : UInt64(step))
        let size = labels.count / max(examples.count, 1)
        for (place, example) in examples.enumerated() {
            let own = key.derived(UInt64(example))
            for offset in 0..<size where labels[place * size + offset] != TargetKind.ignored {
                // Rate 1 draws every label.
                let counter = UInt64(2 * offset)
                guard own.uniform(counter) < rate else { continue }
                labels[place * size + offset] = Int64(own.uniformIndex(below: UInt64(classes), counter + 1))
            }
        }
    }
}
