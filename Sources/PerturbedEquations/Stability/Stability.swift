/// The stability controller: what keeps a perturbed run from diverging.
///
/// In the order of a step: a gradient that is not finite skips the whole step; then clipping, by value, by
/// each tensor's norm, by the global norm; then the bounds on the noise, σ ≤ σ_max and ‖δ‖ ≤ ρ‖g‖; then the
/// watch on the loss. Each is optional; only `skipNonFinite` is on unless told.
public struct Stability: Sendable, Codable {
    /// c: each element of g is clamped to ±c.
    public var clipValue: Scheduled?
    /// c: each tensor's g is scaled by min(1, c/‖g‖).
    public var clipNorm: Scheduled?
    /// c: all of g is scaled by min(1, c/‖g‖), ‖g‖ over all parameters.
    public var clipGlobalNorm: Scheduled?
    /// ρ: all of δ is scaled by min(1, ρ‖g‖/‖δ‖), norms over all parameters, g after clipping. It costs one
    /// more pass over δ, which is computed and not stored.
    public var perturbationToGradient: Scheduled?
    /// σ_max: a bound on every noise strength, in gradient units.
    public var sigmaMax: Scheduled?
    /// A step whose gradient has a NaN or ±∞ is skipped before any state is touched, and counted.
    public var skipNonFinite: Bool
    /// The watch on the loss.
    public var rollbackOnSpike: SpikeGuard?

    public init(
        clipValue: Scheduled? = nil, clipNorm: Scheduled? = nil, clipGlobalNorm: Scheduled? = nil,
        perturbationToGradient: Scheduled? = nil, sigmaMax: Scheduled? = nil, skipNonFinite: Bool = true,
        rollbackOnSpike: SpikeGuard? = nil
    ) {
        self.clipValue = clipValue
        self.clipNorm = clipNorm
        self.clipGlobalNorm = clipGlobalNorm
        self.perturbationToGradient = perturbationToGradient
        self.sigmaMax = sigmaMax
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
            perturbationToGradient: try schedule(.perturbationToGradient),
            sigmaMax: try schedule(.sigmaMax),
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
            ("perturbationToGradient", perturbationToGradient), ("sigmaMax", sigmaMax),
        ] {
            try limit?.require(
                name, in: 0...Double.greatestFiniteMagnitude, allowed: "a finite limit ≥ 0")
        }
        try within("rollbackOnSpike") { try rollbackOnSpike?.validate() }
    }

    mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        if clipValue != nil { try body(&clipValue!) }
        if clipNorm != nil { try body(&clipNorm!) }
        if clipGlobalNorm != nil { try body(&clipGlobalNorm!) }
        if perturbationToGradient != nil { try body(&perturbationToGradient!) }
        if sigmaMax != nil { try body(&sigmaMax!) }
    }
}
