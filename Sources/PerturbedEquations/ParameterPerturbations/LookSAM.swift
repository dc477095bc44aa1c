/// SAM's second evaluation in every k-th step only; in between its direction is used again.
///
/// In steps t with t mod k = 0, as SAM: g = ∇L(θ), g_s = ∇L(θ + ρ(t)·g/‖g‖), the step goes on with g_s, and
/// g_v = g_s − (⟨g, g_s⟩/‖g‖²)·g, the part of g_s across g, is kept. In the others the step goes on with
/// g + α(t)·(‖g‖/‖g_v‖)·g_v. Norms and products are over all parameters. k = 1 is SAM.
///
/// 1 + 1/k evaluations in the mean; one temporary tensor per parameter, and one that is kept.
///
/// Source: Liu et al. 2022, Towards Efficient and Scalable Sharpness-Aware Minimization.
public struct LookSAM: ParameterPerturbation {
    /// ρ, a distance in θ; ≥ 0, default 0.05.
    public var rho: Scheduled
    /// α, the share of the kept direction; ≥ 0, default 0.7.
    public var alpha: Scheduled
    /// k, steps between second evaluations; ≥ 1, default 5.
    public var every: Int

    public init(rho: Scheduled = 0.05, alpha: Scheduled = 0.7, every: Int = 5) {
        self.rho = rho
        self.alpha = alpha
        self.every = every
    }

    public var temporaries: Int { 1 }
    public var storedNames: [String] { ["vertical_grad"] }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&rho)
        try body(&alpha)
    }

    public func validate() throws {
        try ObjectiveChecks.distance("rho", rho)
        try ObjectiveChecks.notNegative("alpha", alpha)
        try ObjectiveChecks.count("every", every, atMost: 1_000_000)
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "lookSAM", summary: "SAM in every k-th step; its direction used again in the others.",
        equation: "t mod k = 0: g ← g_s = ∇L(θ + ρ(t)·g/‖g‖), g_v = g_s − (⟨g, g_s⟩/‖g‖²)·g; "
            + "else g ← g + α(t)·(‖g‖/‖g_v‖)·g_v",
        parameters: [
            .rho(default: "0.05"),
            .init("alpha", "schedule", default: "0.7", allowed: "≥ 0", "α, the share of the kept direction"),
            .init(
                "every", "integer", default: "5", allowed: "1 … 1000000", unit: "steps",
                "k, steps between second evaluations"),
        ],
        source: "Liu et al. 2022, Towards Efficient and Scalable Sharpness-Aware Minimization")

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            rho: try container.decode(.rho, default: 0.05), alpha: try container.decode(.alpha, default: 0.7),
            every: try container.decode(.every, default: 5))
    }

    public func gradient(_ pass: ObjectivePass) throws -> ObjectiveGradient {
        let loss = try pass.evaluate()
        return ObjectiveGradient(
            loss: loss, pass.step % every == 0 ? try renew(pass) : try reuse(pass))
    }

    private func renew(_ pass: ObjectivePass) throws -> ObjectiveGradient.Place {
        pass.run(CopyGradient(temporary: 0))
        let square = pass.gradientNorm * pass.gradientNorm
        guard try pass.ascend(by: rho.value(at: pass.step)) else {
            pass.commit(Keep(share: nil))
            return .evaluated
        }
        try pass.evaluate()
        let share = pass.run(Alignment(temporary: 0)).reduce(0) { $0 + $1[0] } / square
        try pass.requireFinite(share)
        pass.commit(Keep(share: share))
        return .evaluated
    }

    private func reuse(_ pass: ObjectivePass) throws -> ObjectiveGradient.Place {
        let kept = pass.run(KeptSquares()).reduce(0) { $0 + $1[0] }.squareRoot()
        let alpha = alpha.value(at: pass.step)
        guard alpha != 0, kept != 0 else { return .evaluated }
        let scale = alpha * pass.gradientNorm / kept
        try pass.requireFinite(scale)
        pass.run(AddKept(scale: scale))
        return .temporary(0)
    }

    /// g_v ← g_s − share·g; nil: 0.
    private struct Keep: BlockWork {
        let share: Double?

        func run<S: EquationScalar>(_ block: ObjectiveBlock<S>) -> SIMD4<Double> {
            let kept = block.stored[0]
            guard let share, let gradient = block.gradient else {
                kept.update(repeating: 0)
                return .zero
            }
            _ = kept.update(fromContentsOf: gradient)
            block.add(-share, UnsafeBufferPointer(block.temporaries[0]), to: kept)
            return .zero
        }
    }

    /// ‖g_v‖²
    private struct KeptSquares: BlockWork {
        func run<S: EquationScalar>(_ block: ObjectiveBlock<S>) -> SIMD4<Double> {
            let kept = UnsafeBufferPointer(block.stored[0])
            return [block.dot(kept, kept), 0, 0, 0]
        }
    }

    /// temporary ← g + scale·g_v
    private struct AddKept: BlockWork {
        let scale: Double

        func run<S: EquationScalar>(_ block: ObjectiveBlock<S>) -> SIMD4<Double> {
            guard let gradient = block.gradient else { return .zero }
            _ = block.temporaries[0].update(fromContentsOf: gradient)
            block.add(scale, UnsafeBufferPointer(block.stored[0]), to: block.temporaries[0])
            return .zero
        }
    }
}
