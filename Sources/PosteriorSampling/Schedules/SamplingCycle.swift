import PerturbedEquations

/// A cyclical step size: explore with large steps, then sample with small ones, again and again.
///
/// ```
/// η(t) = η₀·½(1 + cos(π·r)),   r = (t mod L)/L;   no noise and no draws while r < β
/// ```
///
/// Each cycle may end in another mode. η₀ is the rule's learning rate.
///
/// Source: Zhang, Li, Zhang, Chen and Wilson 2020, Cyclical Stochastic Gradient MCMC for Bayesian Deep Learning.
public struct SamplingCycle: Codable, Sendable, Hashable {
    /// L, the steps of a cycle, ≥ 2.
    public var length: Int
    /// β, the share of a cycle without noise, 0 ≤ β ≤ 1 − 1/L; 0.8 unless told.
    public var exploration: Double

    public init(length: Int, exploration: Double = 0.8) {
        self.length = length
        self.exploration = exploration
    }

    /// Whether the step number `step`, from 0, is one of the low phase: with noise, and drawn from.
    public func samples(at step: Int) -> Bool {
        Double(step % length) >= exploration * Double(length)
    }

    /// Steps of a cycle with noise, of which there may be draws.
    var samplingSteps: Int { max(0, length - Int((exploration * Double(length)).rounded(.up))) }

    /// Refuses settings outside their range, and those that leave a cycle no step with noise.
    public func validate() throws {
        try require(length >= 2, "cycle.length", is: length, allowed: "a whole number ≥ 2")
        try require(
            exploration >= 0 && exploration < 1, "cycle.exploration", is: exploration,
            allowed: "0 ≤ exploration < 1")
        try require(
            samples(at: length - 1), "cycle.exploration", is: exploration,
            allowed:
                "0 to 1 − 1/\(length), since one of a cycle's \(length) steps at least has noise and may be a draw"
        )
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            length: try container.decode(Int.self, forKey: .length),
            exploration: try container.decode(.exploration, default: 0.8))
    }
}

/// 1 in the low phase of a cycle, 0 in the others: what the temperature is multiplied by.
struct CyclePhaseSchedule: Schedule {
    let cycle: SamplingCycle

    init(_ cycle: SamplingCycle) { self.cycle = cycle }

    func value(at step: Int) -> Double { cycle.samples(at: step) ? 1 : 0 }

    static let catalogueEntry = CatalogueEntry(
        name: "cyclePhase", summary: "1 in the low phase of a cycle, else 0.",
        equation: "f(t) = [(t mod L)/L ≥ β]",
        parameters: [
            .init("cycle", "{length, exploration}", allowed: "as in sampling", unit: "steps", "L and β")
        ],
        source: "Zhang et al. 2020, Cyclical Stochastic Gradient MCMC for Bayesian Deep Learning")
}
