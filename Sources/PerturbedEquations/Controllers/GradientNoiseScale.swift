/// Follows the noise that the batch itself has.
///
/// The mean gradient over B examples has E‖g_B‖² = ‖G‖² + tr(Σ)/B. From the norms over the whole batch of B examples
/// and over a part of b of them, step by step,
///
/// ```
/// S = (B‖g_B‖² − b‖g_b‖²)/(B − b)               estimates ‖G‖²
/// T = (‖g_b‖² − ‖g_B‖²)/(1/b − 1/B)             estimates tr(Σ)
/// R = mean(T)/mean(S)/B                         B_simple/B: the batch's own noise-to-signal ratio
/// ```
///
/// with exponential means, since each estimate by itself is noisy and their ratio biased. Then
///
/// - `scales: learningRate`: factor = 1/(1 + R), the best step of the source for a batch of B relative to that for a
///   very large one;
/// - `scales: sigma`: factor = √max(0, 1 − R/target): noise is added only as far as the batch has less than the
///   target ratio by itself. With a strength of √target relative to the gradient, the two make up the target.
///
/// Before `minimumHistory` steps the factor is 1. Norms are taken before any clipping. The caller must give a
/// part's gradient (`PerturbedOptimizer.noteSmallBatch`); `peo train` takes the first micro-batch, and so needs
/// `training.accumulate` of 2 or more.
///
/// Source: McCandlish et al. 2018, An Empirical Model of Large-Batch Training, section 2.2 and appendix A.
public struct GradientNoiseScale: Controller, Hashable {
    public var scales: ControlledQuantity
    /// The noise-to-signal ratio of a step to fill up to, > 0; for `scales: sigma` alone.
    public var target: Double
    /// β of the exponential means, 0 ≤ β < 1.
    public var smoothing: Double
    /// Steps before the factor moves, ≥ 1.
    public var minimumHistory: Int
    public var minimum: Double

    public init(
        scales: ControlledQuantity = .sigma, target: Double = 1, smoothing: Double = 0.99,
        minimumHistory: Int = 20,
        minimum: Double = 0
    ) {
        self.scales = scales
        self.target = target
        self.smoothing = smoothing
        self.minimumHistory = minimumHistory
        self.minimum = minimum
    }

    public func needs(at step: Int) -> ControllerNeeds { [.norms, .smallBatch] }

    public func observe(_ observation: Observation, _ state: inout ControllerState) {
        guard let part = observation.smallBatch, part.examples < part.wholeExamples else { return }
        let (b, whole) = (part.examples, part.wholeExamples)
        let signal = (whole * part.wholeSquaredNorm - b * part.squaredNorm) / (whole - b)
        let noise = (part.squaredNorm - part.wholeSquaredNorm) / (1 / b - 1 / whole)
        guard signal.isFinite, noise.isFinite else { return }
        // Both means lack the same weight at first, which their ratio does not see.
        state["signal"] = smoothing * state["signal"] + (1 - smoothing) * signal
        state["noise"] = smoothing * state["noise"] + (1 - smoothing) * noise
        state["count"] += 1
        guard state["count"] >= Double(minimumHistory) else { return }
        let ratio = state["signal"] > 0 ? max(state["noise"], 0) / state["signal"] / whole : .infinity
        state["noiseScale"] = ratio * whole
        let factor = scales == .learningRate ? 1 / (1 + ratio) : max(0, 1 - ratio / target).squareRoot()
        state.factor = max(factor, minimum)
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "gradientNoiseScale", summary: "Follows the noise that the batch itself has.",
        equation: "R = tr(Σ)/(B‖G‖²); learning rate × 1/(1 + R), or strength × √max(0, 1 − R/target)",
        parameters: [
            .scales,
            .init("target", "number", default: "1", allowed: "> 0", "the ratio to fill up to, for sigma"),
            .init("smoothing", "number", default: "0.99", allowed: "0 ≤ smoothing < 1", "β of the means"),
            .init(
                "minimumHistory", "integer", default: "20", allowed: "≥ 1", unit: "steps",
                "before the factor moves"),
            .minimum("0"),
        ], source: "McCandlish et al. 2018, An Empirical Model of Large-Batch Training")

    public func validate() throws {
        try ControllerChecks.positive("target", target)
        try require(
            smoothing >= 0 && smoothing < 1, "smoothing", is: smoothing, allowed: "0 ≤ smoothing < 1")
        try ControllerChecks.count("minimumHistory", minimumHistory, atLeast: 1)
        try ControllerChecks.range(minimum, 1)
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let d = GradientNoiseScale()
        self.init(
            scales: try container.decode(.scales, default: d.scales),
            target: try container.decode(.target, default: d.target),
            smoothing: try container.decode(.smoothing, default: d.smoothing),
            minimumHistory: try container.decode(.minimumHistory, default: d.minimumHistory),
            minimum: try container.decode(.minimum, default: d.minimum))
    }
}
