/// Changes the factor when the loss stops to fall.
///
/// The loss is averaged over windows of n steps. A window is better if its mean is below (1 − threshold) times the
/// best one so far. After more than `patience` windows in a row that are not better,
///
/// factor ← clamp(f·factor, minimum, maximum),
///
/// and the next `cooldown` windows do not count. f < 1 calms a run that has settled; f > 1 shakes one that is stuck.
/// With n = 1 it is PyTorch's `ReduceLROnPlateau` (mode min, relative threshold) fed with each step's loss. Losses are
/// taken to be positive.
///
/// ```yaml
/// controllers:
///   - plateau: {scales: learningRate, factor: 0.3, patience: 5, window: 200}
/// ```
///
/// Source: PyTorch ReduceLROnPlateau.
public struct Plateau: Controller, Hashable {
    public var scales: ControlledQuantity
    /// f, > 0, not 1.
    public var factor: Double
    /// Windows that may pass without a better one, ≥ 0.
    public var patience: Int
    /// How much better is better, relative; 0 ≤ threshold < 1.
    public var threshold: Double
    /// Windows after a change that do not count, ≥ 0.
    public var cooldown: Int
    /// n, steps, ≥ 1.
    public var window: Int
    /// The range of the factor.
    public var minimum: Double
    public var maximum: Double

    public init(
        scales: ControlledQuantity = .sigma, factor: Double = 0.5, patience: Int = 10,
        threshold: Double = 1e-4,
        cooldown: Int = 0, window: Int = 100, minimum: Double = 0, maximum: Double = 1000
    ) {
        self.scales = scales
        self.factor = factor
        self.patience = patience
        self.threshold = threshold
        self.cooldown = cooldown
        self.window = window
        self.minimum = minimum
        self.maximum = maximum
    }

    public func observe(_ observation: Observation, _ state: inout ControllerState) {
        guard let loss = observation.loss, loss.isFinite,
            let mean = LossWindow.add(loss, &state, window: window)
        else { return }
        if state.values["best"] == nil || mean < state["best"] * (1 - threshold) {
            state["best"] = mean
            state["bad"] = 0
        } else {
            state["bad"] += 1
        }
        if state["cooldown"] > 0 {
            state["cooldown"] -= 1
            state["bad"] = 0
        }
        if state["bad"] > Double(patience) {
            state.multiply(by: factor, in: minimum...maximum)
            state["cooldown"] = Double(cooldown)
            state["bad"] = 0
        }
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "plateau", summary: "Changes the factor when the loss stops to fall.",
        equation:
            "factor ← f·factor after more than `patience` windows without a mean loss below (1 − threshold)·best",
        parameters: [
            .scales, .init("factor", "number", default: "0.5", allowed: "> 0, not 1", "f"),
            .init("patience", "integer", default: "10", allowed: "≥ 0", unit: "windows", "how many may pass"),
            .init("threshold", "number", default: "0.0001", allowed: "0 ≤ threshold < 1", "relative"),
            .init(
                "cooldown", "integer", default: "0", allowed: "≥ 0", unit: "windows",
                "how many do not count after a change"),
            .init(
                "window", "integer", default: "100", allowed: "≥ 1", unit: "steps", "whose mean loss counts"),
            .minimum("0"), .maximum("1000"),
        ], source: "PyTorch ReduceLROnPlateau")

    public func validate() throws {
        try ControllerChecks.positive("factor", factor)
        try require(factor != 1, "factor", is: factor, allowed: "a number that changes something, not 1")
        try ControllerChecks.count("patience", patience, atLeast: 0)
        try require(
            threshold >= 0 && threshold < 1, "threshold", is: threshold, allowed: "0 ≤ threshold < 1")
        try ControllerChecks.count("cooldown", cooldown, atLeast: 0)
        try ControllerChecks.count("window", window, atLeast: 1)
        try ControllerChecks.range(minimum, maximum)
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let d = Plateau()
        self.init(
            scales: try container.decode(.scales, default: d.scales),
            factor: try container.decode(.factor, default: d.factor),
            patience: try container.decode(.patience, default: d.patience),
            threshold: try container.decode(.threshold, default: d.threshold),
            cooldown: try container.decode(.cooldown, default: d.cooldown),
            window: try container.decode(.window, default: d.window),
            minimum: try container.decode(.minimum, default: d.minimum),
            maximum: try container.decode(.maximum, default: d.maximum))
    }
}
