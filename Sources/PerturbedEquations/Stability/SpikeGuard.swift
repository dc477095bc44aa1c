/// Watches the loss: when it jumps or stops being a number, the last good state comes back and the noise is
/// cut.
///
/// The loss L(t) of θ(t) is a spike if it is not finite, or if
/// L(t) > median + k·max(MAD, |median|/1000, d₀) of the last `window` accepted losses, MAD the median absolute
/// deviation from the median, once `minimumHistory` of them are known. d₀ is for losses that have come near zero:
/// one batch with one wrong example is then far above all others, and no reason to go back. On a spike the optimizer restores the
/// last snapshot of θ and its state, and the losses known then, multiplies every noise strength by `cut` (of δ, and of
/// noise on the parameters; not a sampler's own noise), and goes on with the next step. After `attempts` rollbacks without `window` accepted losses in between it stops with
/// `DivergenceError`, at the last good state.
public struct SpikeGuard: Sendable, Codable, Hashable {
    /// k, how many deviations above the median a loss may be; > 0, default 6.
    public var deviations: Double
    /// d₀, the smallest deviation that counts, in units of the loss; ≥ 0, default 0.
    public var smallestDeviation: Double
    /// How many accepted losses are remembered; ≥ 10, default 100.
    public var window: Int
    /// How many losses must be known before a finite loss can be a spike; ≥ 2, default 20.
    public var minimumHistory: Int
    /// Steps between snapshots; ≥ 1, default 100. A snapshot copies the parameters and the state.
    public var snapshotEvery: Int
    /// The factor on every noise strength at each rollback; 0 ≤ cut ≤ 1, default 0.5.
    public var cut: Double
    /// How many rollbacks in a row are tried; ≥ 0, default 5.
    public var attempts: Int

    public init(
        deviations: Double = 6, smallestDeviation: Double = 0, window: Int = 100, minimumHistory: Int = 20,
        snapshotEvery: Int = 100, cut: Double = 0.5, attempts: Int = 5
    ) {
        self.smallestDeviation = smallestDeviation
        self.deviations = deviations
        self.window = window
        self.minimumHistory = minimumHistory
        self.snapshotEvery = snapshotEvery
        self.cut = cut
        self.attempts = attempts
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let d = SpikeGuard()
        self.init(
            deviations: try container.decode(.deviations, default: d.deviations),
            smallestDeviation: try container.decode(.smallestDeviation, default: d.smallestDeviation),
            window: try container.decode(.window, default: d.window),
            minimumHistory: try container.decode(.minimumHistory, default: d.minimumHistory),
            snapshotEvery: try container.decode(.snapshotEvery, default: d.snapshotEvery),
            cut: try container.decode(.cut, default: d.cut),
            attempts: try container.decode(.attempts, default: d.attempts))
    }

    func validate() throws {
        try require(
            deviations > 0 && deviations.isFinite, "deviations", is: deviations,
            allowed: "a finite number > 0")
        try require(
            smallestDeviation >= 0 && smallestDeviation.isFinite, "smallestDeviation", is: smallestDeviation,
            allowed: "a finite number ≥ 0")
        try require(window >= 10, "window", is: window, allowed: "a whole number ≥ 10")
        try require(
            minimumHistory >= 2 && minimumHistory <= window, "minimumHistory", is: minimumHistory,
            allowed: "2 ≤ minimumHistory ≤ window (\(window))")
        try require(snapshotEvery >= 1, "snapshotEvery", is: snapshotEvery, allowed: "a whole number ≥ 1")
        try require(cut >= 0 && cut <= 1, "cut", is: cut, allowed: "0 ≤ cut ≤ 1")
        try require(attempts >= 0, "attempts", is: attempts, allowed: "a whole number ≥ 0")
    }

    /// What the guard remembers: part of the optimizer's state.
    struct Memory: Codable, Hashable, Sendable {
        /// The last accepted losses, oldest first.
        var losses: [Double] = []
        /// The step of the snapshot; nil before the first.
        var snapshotStep: Int?
        /// The losses up to the snapshot: what counts as normal after a return to it.
        var snapshotLosses: [Double] = []
        /// Rollbacks in a row.
        var attempts = 0
        /// Accepted losses since the last rollback.
        var acceptedSinceRollback = 0
        /// The product of all cuts so far.
        var strengthScale = 1.0
    }

    /// Whether `loss` is a spike after the losses in `memory`.
    func isSpike(_ loss: Double, after memory: Memory) -> Bool {
        guard loss.isFinite else { return true }
        guard memory.losses.count >= minimumHistory else { return false }
        let median = Self.median(memory.losses)
        let deviation = Self.median(memory.losses.map { abs($0 - median) })
        return loss > median + deviations * max(deviation, abs(median) / 1000, smallestDeviation)
    }

    /// Takes an accepted loss into the memory.
    func accept(_ loss: Double, into memory: inout Memory) {
        if memory.losses.count >= window { memory.losses.removeFirst(memory.losses.count - window + 1) }
        memory.losses.append(loss)
        memory.acceptedSinceRollback += 1
        if memory.acceptedSinceRollback >= window { memory.attempts = 0 }
    }

    private static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}

/// Training was stopped because the loss kept jumping: θ and the state are those of the last good snapshot.
public struct DivergenceError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The logical step at which it was given up.
    public let step: Int
    /// The loss seen there.
    public let loss: Double
    /// How many rollbacks had been tried.
    public let attempts: Int
    /// The step whose state was restored; nil if there was no snapshot to restore.
    public let restoredStep: Int?

    public var description: String {
        let restored =
            restoredStep.map { "the parameters are those of step \($0), the last good ones" }
            ?? "there was no good state to return to"
        return "the loss was \(loss) at step \(step) after \(attempts) rollbacks; \(restored). "
            + "Lower the learning rate or the noise, or raise stability.rollbackOnSpike.attempts."
    }
}
