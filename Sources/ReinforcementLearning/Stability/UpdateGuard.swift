import PerturbedEquations

/// Watches a policy's updates: where one goes too far, what was before it comes back, with less noise.
///
/// ```yaml
/// agent: {ppo: {rollbackOn: {approximateKL: 0.2, valueLoss: 10}}}
/// ```
///
/// An update is a spike if, over the rollout that it learnt from, the policy has moved further than `approximateKL`, or the
/// value loss is more than `valueLoss` times the median of the last accepted updates' (20 at most, once 5 are known), or
/// either is no number. Networks and optimizer then return to where they were before the update, every noise strength is
/// multiplied by `cut`, and the agent acts on. After `attempts` rollbacks in a row the run is given up there.
public struct UpdateGuard: Sendable, Codable, Hashable {
    /// In nats, > 0; nil: not watched.
    public var approximateKL: Double?
    /// A factor, > 1; nil: not watched.
    public var valueLoss: Double?
    /// 0 ≤ cut ≤ 1, default 0.5.
    public var cut: Double
    /// ≥ 0, default 5.
    public var attempts: Int

    public init(
        approximateKL: Double? = nil, valueLoss: Double? = nil, cut: Double = 0.5, attempts: Int = 5
    ) {
        self.approximateKL = approximateKL
        self.valueLoss = valueLoss
        self.cut = cut
        self.attempts = attempts
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let d = UpdateGuard()
        self.init(
            approximateKL: try container.decodeIfPresent(Double.self, forKey: .approximateKL),
            valueLoss: try container.decodeIfPresent(Double.self, forKey: .valueLoss),
            cut: try container.decode(.cut, default: d.cut),
            attempts: try container.decode(.attempts, default: d.attempts))
    }

    func validate() throws {
        try require(
            approximateKL != nil || valueLoss != nil, "approximateKL",
            is: "not set, and neither is valueLoss",
            allowed: "one of the two at least")
        if let approximateKL {
            try require(
                approximateKL > 0 && approximateKL.isFinite, "approximateKL", is: approximateKL,
                allowed: "a finite number > 0")
        }
        if let valueLoss {
            try require(
                valueLoss > 1 && valueLoss.isFinite, "valueLoss", is: valueLoss,
                allowed: "a finite factor > 1")
        }
        try require(cut >= 0 && cut <= 1, "cut", is: cut, allowed: "0 ≤ cut ≤ 1")
        try require(attempts >= 0, "attempts", is: attempts, allowed: "a whole number ≥ 0")
    }

    /// What the guard remembers: part of the agent's state.
    struct Memory: Codable, Sendable, Equatable {
        /// The value losses of the last accepted updates, oldest first.
        var valueLosses: [Double] = []
        /// Rollbacks in a row.
        var attempts = 0
    }

    private static let (window, minimumHistory) = (20, 5)

    /// What is wrong with an update, in words; nil where nothing is.
    func fault(approximateKL move: Double, valueLoss loss: Double, after memory: Memory) -> String? {
        if let approximateKL, !(move <= approximateKL) {
            return "the approximate KL of an update was \(move), and more than \(approximateKL) is a spike"
        }
        guard let valueLoss else { return nil }
        if !loss.isFinite { return "the value loss after an update was \(loss)" }
        guard memory.valueLosses.count >= Self.minimumHistory else { return nil }
        let sorted = memory.valueLosses.sorted()
        let median = sorted[sorted.count / 2]
        guard loss > valueLoss * median else { return nil }
        return
            "the value loss after an update was \(loss), and more than \(valueLoss) times the median of the last "
            + "ones, \(median), is a spike"
    }

    func accept(valueLoss: Double, into memory: inout Memory) {
        memory.attempts = 0
        memory.valueLosses.append(valueLoss)
        if memory.valueLosses.count > Self.window { memory.valueLosses.removeFirst() }
    }
}
