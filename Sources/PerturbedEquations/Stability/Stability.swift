/// The stability controller: what keeps a perturbed run from diverging.
///
/// In the order of a step: a gradient that is not finite skips the whole step; then clipping, by value, by
/// each tensor's norm, by the global norm, by the norm of the weights (adaptive); then the bounds on the noise,
/// σ ≤ σ_max, ‖δ‖² ≤ κ‖g‖² per tensor and ‖δ‖ ≤ ρ‖g‖; then the trust region on the update; then the watch on the
/// loss. Each is optional; only `skipNonFinite` is on unless told. A guard that does not bind changes not a bit.
public struct Stability: Sendable, Codable {
    /// c: each element of g is clamped to ±c.
    public var clipValue: Scheduled?
    /// c: each tensor's g is scaled by min(1, c/‖g‖).
    public var clipNorm: Scheduled?
    /// c: all of g is scaled by min(1, c/‖g‖), ‖g‖ over all parameters.
    public var clipGlobalNorm: Scheduled?
    /// Each unit's g is scaled by min(1, λ·max(‖θ‖, floor)/‖g‖).
    public var clipAdaptive: AdaptiveClip?
    /// ρ: all of δ is scaled by min(1, ρ‖g‖/‖δ‖), norms over all parameters, g after clipping. It costs one
    /// more pass over δ, which is computed and not stored.
    public var perturbationToGradient: Scheduled?
    /// κ: each tensor's δ is scaled by min(1, √(κ·mean(g²)/mean(δ²))), means over the tensor's elements, g after
    /// clipping: the variance of the noise is at most κ times the mean square of the gradient. What counts is the
    /// δ of this step, its deterministic terms included. A tensor without gradient gets no noise. It costs the
    /// same pass as `perturbationToGradient`, which comes after it.
    public var varianceBound: Scheduled?
    /// σ_max: a bound on every noise strength of δ, in gradient units. For noise in proportion to the gradient
    /// (GradientScaled, DropNoise) it bounds the root mean square over the tensor. Noise on the parameters is in
    /// units of θ, and not bounded by it.
    public var sigmaMax: Scheduled?
    /// ‖θ(t+1) − θ(t)‖ ≤ τ‖θ‖ for each tensor.
    public var trustRegion: TrustRegion?
    /// A step whose gradient or perturbation has a NaN or ±∞, or whose perturbed gradient overflows, is skipped
    /// before any state is touched, and counted.
    public var skipNonFinite: Bool
    /// The watch on the loss.
    public var rollbackOnSpike: SpikeGuard?

    public init(
        clipValue: Scheduled? = nil, clipNorm: Scheduled? = nil, clipGlobalNorm: Scheduled? = nil,
        clipAdaptive: AdaptiveClip? = nil, perturbationToGradient: Scheduled? = nil,
        varianceBound: Scheduled? = nil, sigmaMax: Scheduled? = nil, trustRegion: TrustRegion? = nil,
        skipNonFinite: Bool = true, rollbackOnSpike: SpikeGuard? = nil
    ) {
        self.clipValue = clipValue
        self.clipNorm = clipNorm
        self.clipGlobalNorm = clipGlobalNorm
        self.clipAdaptive = clipAdaptive
        self.perturbationToGradient = perturbationToGradient
        self.varianceBound = varianceBound
        self.sigmaMax = sigmaMax
        self.trustRegion = trustRegion
        self.skipNonFinite = skipNonFinite
        self.rollbackOnSpike = rollbackOnSpike
    }

    /// No guard at all: the bare step, for measurements.
    public static let none = Stability(skipNonFinite: false)

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func schedule(_ key: CodingKeys) throws -> Scheduled? {
            try container.decodeIfPresent(Scheduled.self, forKey: key)
        }
        self.init(
            clipValue: try schedule(.clipValue), clipNorm: try schedule(.clipNorm),
            clipGlobalNorm: try schedule(.clipGlobalNorm),
            clipAdaptive: try container.decodeIfPresent(AdaptiveClip.self, forKey: .clipAdaptive),
            perturbationToGradient: try schedule(.perturbationToGradient),
            varianceBound: try schedule(.varianceBound), sigmaMax: try schedule(.sigmaMax),
            trustRegion: try container.decodeIfPresent(TrustRegion.self, forKey: .trustRegion),
            skipNonFinite: try container.decode(.skipNonFinite, default: true),
            rollbackOnSpike: try container.decodeIfPresent(SpikeGuard.self, forKey: .rollbackOnSpike))
    }

    /// Refuses settings outside their range.
    public func validate() throws {
        for (name, limit) in [
            ("clipValue", clipValue), ("clipNorm", clipNorm), ("clipGlobalNorm", clipGlobalNorm),
        ] {
            try limit?.require(
                name, in: Double.leastNonzeroMagnitude...Double.greatestFiniteMagnitude,
                allowed: "a finite limit > 0")
        }
        for (name, limit) in [
            ("perturbationToGradient", perturbationToGradient), ("varianceBound", varianceBound),
            ("sigmaMax", sigmaMax),
        ] {
            try limit?.require(
                name, in: 0...Double.greatestFiniteMagnitude, allowed: "a finite limit ≥ 0")
        }
        try within("clipAdaptive") { try clipAdaptive?.validate() }
        try within("trustRegion") { try trustRegion?.validate() }
        try within("rollbackOnSpike") { try rollbackOnSpike?.validate() }
    }

    mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        if clipValue != nil { try body(&clipValue!) }
        if clipNorm != nil { try body(&clipNorm!) }
        if clipGlobalNorm != nil { try body(&clipGlobalNorm!) }
        if perturbationToGradient != nil { try body(&perturbationToGradient!) }
        if clipAdaptive != nil { try body(&clipAdaptive!.ratio) }
        if varianceBound != nil { try body(&varianceBound!) }
        if sigmaMax != nil { try body(&sigmaMax!) }
        if trustRegion != nil { try body(&trustRegion!.ratio) }
    }
}
