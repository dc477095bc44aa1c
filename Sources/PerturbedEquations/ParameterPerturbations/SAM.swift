/// Sharpness-aware minimisation: the gradient at the worst neighbour.
///
/// ε = ρ(t)·g/‖g‖ with g = ∇L(θ) and ‖g‖ over all parameters; the step goes on with ∇L(θ + ε).
///
/// ρ = 0 and a zero gradient take one evaluation, others two.
///
/// ```swift
/// PerturbedEquation(rule: Nesterov(learningRate: 0.1), parameterPerturbation: SAM(rho: 0.05))
/// ```
///
/// Source: Foret et al. 2021, Sharpness-Aware Minimization for Efficiently Improving Generalization.
public struct SAM: ParameterPerturbation {
    /// ρ, the distance in θ at which the gradient is taken; ≥ 0, default 0.05.
    public var rho: Scheduled

    public init(rho: Scheduled = 0.05) {
        self.rho = rho
    }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&rho)
    }

    public func validate() throws { try ObjectiveChecks.distance("rho", rho) }

    public static let catalogueEntry = CatalogueEntry(
        name: "sam", summary: "Sharpness-aware minimisation: the gradient at the worst neighbour.",
        equation: "g ← ∇L(θ + ε), ε = ρ(t)·∇L(θ)/‖∇L(θ)‖", parameters: [.rho(default: "0.05")],
        source: "Foret et al. 2021, Sharpness-Aware Minimization for Efficiently Improving Generalization")

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(rho: try container.decode(.rho, default: 0.05))
    }

    public func gradient(_ pass: ObjectivePass) throws -> ObjectiveGradient {
        let loss = try pass.evaluate()
        if try pass.ascend(by: rho.value(at: pass.step)) { try pass.evaluate() }
        return ObjectiveGradient(loss: loss)
    }
}

extension ObjectivePass {
    /// θ̃ ← θ + ρ·g/‖g‖; false where that is θ.
    func ascend(by rho: Double) throws -> Bool {
        let norm = gradientNorm
        try requireFinite(norm)
        guard rho != 0, norm != 0 else { return false }
        perturb(AddGradient(scale: rho / norm))
        return true
    }
}
