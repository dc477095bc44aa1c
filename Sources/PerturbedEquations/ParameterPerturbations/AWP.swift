/// Adversarial weight perturbation: each tensor goes uphill by a share of its own size.
///
/// ε = γ(t)·(‖θ‖/‖g‖)·g per tensor, with g = ∇L(θ) and the norms of that tensor; the step goes on with
/// ∇L(θ + ε). A tensor without gradient or of size 0 stays where it is; so do biases and scales (one axis or
/// none), as in the authors' code, unless `vectors`.
///
/// In adversarial training the objective is the loss on adversarial examples; the method is the same.
/// γ = 0 takes one evaluation, others two.
///
/// Source: Wu et al. 2020, Adversarial Weight Perturbation Helps Robust Generalization.
public struct AWP: ParameterPerturbation {
    /// γ, the distance relative to ‖θ‖; ≥ 0, default 0.005.
    public var gamma: Scheduled
    /// Whether tensors of one axis or none are perturbed too; default false.
    public var vectors: Bool

    public init(gamma: Scheduled = 0.005, vectors: Bool = false) {
        self.gamma = gamma
        self.vectors = vectors
    }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&gamma)
    }

    public func validate() throws { try ObjectiveChecks.distance("gamma", gamma) }

    public static let catalogueEntry = CatalogueEntry(
        name: "awp", summary: "Adversarial weight perturbation: uphill by a share of each tensor's size.",
        equation: "g ← ∇L(θ + ε), ε = γ(t)·(‖θ‖/‖∇L(θ)‖)·∇L(θ) per tensor",
        parameters: [
            .init("gamma", "schedule", default: "0.005", allowed: "≥ 0", unit: "1, relative to ‖θ‖", "γ"),
            .init(
                "vectors", "boolean", default: "false", allowed: "true, false",
                "perturb biases and scales too"),
        ],
        source: "Wu et al. 2020, Adversarial Weight Perturbation Helps Robust Generalization")

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            gamma: try container.decode(.gamma, default: 0.005),
            vectors: try container.decode(.vectors, default: false))
    }

    public func gradient(_ pass: ObjectivePass) throws -> ObjectiveGradient {
        let loss = try pass.evaluate()
        let gamma = gamma.value(at: pass.step)
        guard gamma != 0 else { return ObjectiveGradient(loss: loss) }
        let sizes = pass.run(ParameterSquares()).map { $0[0].squareRoot() }
        let scales = try zip(zip(sizes, pass.gradientNorms), pass.parameters).map { norms, spec in
            guard norms.1 != 0, vectors || spec.shape.count > 1 else { return 0.0 }
            let scale = gamma * norms.0 / norms.1
            try pass.requireFinite(scale)
            return scale
        }
        pass.perturb(Ascend(scales: scales))
        try pass.evaluate()
        return ObjectiveGradient(loss: loss)
    }

    /// ‖θ‖²
    private struct ParameterSquares: BlockWork {
        func run<S: EquationScalar>(_ block: ObjectiveBlock<S>) -> SIMD4<Double> {
            [block.dot(block.original, block.original), 0, 0, 0]
        }
    }

    private struct Ascend: BlockWork {
        let scales: [Double]

        func run<S: EquationScalar>(_ block: ObjectiveBlock<S>) -> SIMD4<Double> {
            let scale = scales[block.parameter]
            return scale == 0 ? .zero : AddGradient(scale: scale).run(block)
        }
    }
}
