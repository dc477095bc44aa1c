/// A bound on how far a step may move a tensor, relative to the tensor.
///
/// With Δ = θ' − θ the whole change that the rule makes to a tensor, learning rate and decoupled weight decay
/// included: θ(t+1) = θ + s·Δ, s = min(1, τ·max(‖θ‖, ε√n)/‖Δ‖), norms over the tensor of n elements. Where the
/// bound binds, decoupled decay is thus scaled down with the rest. The rule's state advances as without it. Where
/// it does not bind (s = 1) the step is the same to the bit.
///
/// ‖Δ‖ must be known before θ may move: a first pass runs the rule on copies, a block at a time, so that a step
/// takes about twice as long. A change that is not finite skips the step before any state is touched.
///
/// Source: compare the trust ratio of You et al. 2020, Large Batch Optimization for Deep Learning (LAMB), which
/// sets ‖Δ‖ = η‖θ‖ where this bounds it.
public struct TrustRegion: Sendable, Codable {
    /// τ, > 0: the largest relative change in one step.
    public var ratio: Scheduled
    /// ε: weights of a smaller root mean square count as having this one, so that weights which start at 0 can
    /// move; > 0.
    public var floor: Double

    public init(ratio: Scheduled, floor: Double = 1e-3) {
        self.ratio = ratio
        self.floor = floor
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            ratio: try container.decode(Scheduled.self, forKey: .ratio),
            floor: try container.decode(.floor, default: 1e-3))
    }

    func validate() throws {
        try ratio.require(
            "ratio", in: Double.leastNonzeroMagnitude...Double.greatestFiniteMagnitude,
            allowed: "a finite ratio > 0")
        try require(floor > 0 && floor.isFinite, "floor", is: floor, allowed: "a finite size > 0")
    }
}
