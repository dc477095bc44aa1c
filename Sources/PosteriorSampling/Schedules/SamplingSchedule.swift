import PerturbedEquations

/// Which steps of a chain are draws: every `thin`-th after the burn-in and, under a cycle, in its low phase alone.
///
/// A pure function of the step, so that a run which was killed keeps the same draws.
public struct SamplingSchedule: Codable, Sendable, Hashable {
    /// Steps of each chain, 1 … 2³¹.
    public var steps: Int
    /// Steps before the first draw, in which a chain forgets where it began; half of `steps` unless told.
    public var burnIn: Int
    /// Steps from one draw to the next, 1 … 2³¹; 1 unless told.
    public var thin: Int
    /// A cyclical step size; none unless told.
    public var cycle: SamplingCycle?

    public init(steps: Int, burnIn: Int? = nil, thin: Int = 1, cycle: SamplingCycle? = nil) {
        self.steps = steps
        self.burnIn = burnIn ?? steps / 2
        self.thin = thin
        self.cycle = cycle
    }

    /// Whether θ after `taken` steps is a draw.
    public func keeps(after taken: Int) -> Bool {
        guard taken > burnIn, (taken - burnIn).isMultiple(of: thin) else { return false }
        return cycle?.samples(at: taken - 1) ?? true
    }

    /// Draws of each chain after `taken` steps.
    public func draws(after taken: Int) -> Int {
        guard taken > burnIn else { return 0 }
        guard cycle != nil else { return (taken - burnIn) / thin }
        return stride(from: burnIn + thin, through: taken, by: thin).reduce(0) {
            $0 + (keeps(after: $1) ? 1 : 0)
        }
    }

    /// Draws of each chain in all.
    public var draws: Int { draws(after: steps) }

    /// Refuses settings outside their range, and those that keep nothing.
    public func validate() throws {
        let limit = 1 << 31
        try require((1...limit).contains(steps), "steps", is: steps, allowed: "1 … 2³¹")
        try require(burnIn >= 0, "burnIn", is: burnIn, allowed: "a whole number ≥ 0")
        try require((1...limit).contains(thin), "thin", is: thin, allowed: "1 … 2³¹")
        try cycle?.validate()
        try require(
            draws >= 1, "burnIn", is: "\(burnIn), with \(steps) steps and thin \(thin)",
            allowed: "what leaves a draw"
                + (cycle.map {
                    " (at one of the last \($0.samplingSteps) of each cycle's \($0.length) steps)"
                } ?? ""))
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            steps: try container.decode(Int.self, forKey: .steps),
            burnIn: try container.decodeIfPresent(Int.self, forKey: .burnIn),
            thin: try container.decode(.thin, default: 1),
            cycle: try container.decodeIfPresent(SamplingCycle.self, forKey: .cycle))
    }
}
