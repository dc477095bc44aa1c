/// Surrogate-gap SAM: descends on the loss at the worst neighbour and, at the same time, on its distance from
/// the loss at θ.
///
/// g = ∇L(θ), g_p = ∇L(θ + ρ(t)·g/‖g‖), g_⊥ = g − (⟨g, g_p⟩/‖g_p‖²)·g_p; the step goes on with
/// g_p − α(t)·g_⊥. Norms and products are over all parameters. α = 0 is SAM.
///
/// Two evaluations, and one temporary tensor per parameter. The paper anneals ρ with the learning rate: give ρ a
/// schedule of the same form.
///
/// Source: Zhuang et al. 2022, Surrogate Gap Minimization Improves Sharpness-Aware Training.
public struct GSAM: ParameterPerturbation {
    /// ρ, a distance in θ; ≥ 0, default 0.05.
    public var rho: Scheduled
    /// α, how much of g_⊥ is taken off; ≥ 0, default 0.2.
    public var alpha: Scheduled

    public init(rho: Scheduled = 0.05, alpha: Scheduled = 0.2) {
        self.rho = rho
        self.alpha = alpha
    }

    public var temporaries: Int { 1 }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&rho)
        try body(&alpha)
    }

    public func validate() throws {
        try ObjectiveChecks.distance("rho", rho)
        try ObjectiveChecks.notNegative("alpha", alpha)
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "gsam", summary: "SAM that also closes the gap between the worst neighbour and θ.",
        equation: "g ← g_p − α(t)·(g − (⟨g, g_p⟩/‖g_p‖²)·g_p), g = ∇L(θ), g_p = ∇L(θ + ρ(t)·g/‖g‖)",
        parameters: [
            .rho(default: "0.05"),
            .init("alpha", "schedule", default: "0.2", allowed: "≥ 0", "α, how much of g_⊥ is taken off"),
        ],
        source: "Zhuang et al. 2022, Surrogate Gap Minimization Improves Sharpness-Aware Training")

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            rho: try container.decode(.rho, default: 0.05), alpha: try container.decode(.alpha, default: 0.2))
    }

    public func gradient(_ pass: ObjectivePass) throws -> ObjectiveGradient {
        let loss = try pass.evaluate()
        let alpha = alpha.value(at: pass.step)
        if alpha != 0 { pass.run(CopyGradient(temporary: 0)) }
        guard try pass.ascend(by: rho.value(at: pass.step)) else { return ObjectiveGradient(loss: loss) }
        try pass.evaluate()
        guard alpha != 0 else { return ObjectiveGradient(loss: loss) }
        let sums = pass.run(Alignment(temporary: 0)).reduce(.zero, +)
        guard sums[1] != 0 else { return ObjectiveGradient(loss: loss) }
        let share = sums[0] / sums[1]
        try pass.requireFinite(share)
        // g_p − α(g − share·g_p)
        pass.run(MixGradient(temporary: 0, keep: -alpha, scale: 1 + alpha * share))
        return ObjectiveGradient(loss: loss, .temporary(0))
    }
}
