/// Follows the rate at which the loss falls.
///
/// The loss is averaged over windows of n steps; Lₖ is the mean of window k. From the second window on
///
/// r = (Lₖ₋₁ − Lₖ)/|Lₖ₋₁|,   factor ← clamp(factor·(faster if r ≥ rate, else slower), minimum, maximum).
///
/// By default a quantity is taken back while the loss falls by less than 1% per window, and comes back, up to where it
/// started, while it falls faster. slower > 1 and faster < 1 turn that round.
///
/// Source: the idea of the "bold driver" of Battiti 1989, Accelerated Backpropagation Learning.
public struct LossImprovement: Controller, Hashable {
    public var scales: ControlledQuantity
    /// The relative improvement per window that is enough; finite.
    public var rate: Double
    /// n, steps, ≥ 1.
    public var window: Int
    /// The changes of the factor, > 0.
    public var slower: Double
    public var faster: Double
    public var minimum: Double
    public var maximum: Double

    public init(
        scales: ControlledQuantity = .sigma, rate: Double = 0.01, window: Int = 100, slower: Double = 0.8,
        faster: Double = 1.1, minimum: Double = 0, maximum: Double = 1
    ) {
        self.scales = scales
        self.rate = rate
        self.window = window
        self.slower = slower
        self.faster = faster
        self.minimum = minimum
        self.maximum = maximum
    }

    public func observe(_ observation: Observation, _ state: inout ControllerState) {
        guard let loss = observation.loss, loss.isFinite,
            let mean = LossWindow.add(loss, &state, window: window)
        else { return }
        if let last = state.values["last"], last != 0 {
            let improvement = (last - mean) / abs(last)
            state.multiply(by: improvement >= rate ? faster : slower, in: minimum...maximum)
        }
        state["last"] = mean
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "lossImprovement", summary: "Follows the rate at which the loss falls.",
        equation: "r = (Lₖ₋₁ − Lₖ)/|Lₖ₋₁| of window means; factor ← factor·(faster if r ≥ rate, else slower)",
        parameters: [
            .scales,
            .init(
                "rate", "number", default: "0.01", allowed: "finite", unit: "per window", "enough, relative"),
            .init(
                "window", "integer", default: "100", allowed: "≥ 1", unit: "steps", "whose mean loss counts"),
            .init("slower", "number", default: "0.8", allowed: "> 0", "the change while r < rate"),
            .init("faster", "number", default: "1.1", allowed: "> 0", "the change while r ≥ rate"),
            .minimum("0"), .maximum("1"),
        ], source: "compare the bold driver of Battiti 1989, Accelerated Backpropagation Learning")

    public func validate() throws {
        try require(rate.isFinite, "rate", is: rate, allowed: "a finite number")
        try ControllerChecks.count("window", window, atLeast: 1)
        try ControllerChecks.positive("slower", slower)
        try ControllerChecks.positive("faster", faster)
        try ControllerChecks.range(minimum, maximum)
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let d = LossImprovement()
        self.init(
            scales: try container.decode(.scales, default: d.scales),
            rate: try container.decode(.rate, default: d.rate),
            window: try container.decode(.window, default: d.window),
            slower: try container.decode(.slower, default: d.slower),
            faster: try container.decode(.faster, default: d.faster),
            minimum: try container.decode(.minimum, default: d.minimum),
            maximum: try container.decode(.maximum, default: d.maximum))
    }
}
