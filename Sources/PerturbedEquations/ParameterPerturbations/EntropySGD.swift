/// Entropy-SGD: descends on the local entropy of the loss, which prefers wide valleys; a Langevin walk around θ
/// estimates its gradient.
///
/// ```
/// x ← θ, μ ← θ, then L times:
///   x ← x − η'·(∇L(x) − γ(t)·(θ − x)) + √η'·ε·ξ,   ξ ~ N(0, 1)
///   μ ← (1 − α)·μ + α·x
/// g ← γ(t)·(θ − μ)
/// ```
///
/// g is the gradient of −log ∫exp(−L(x) − (γ/2)‖x − θ‖²)dx, by that walk. The authors' code leaves the outer γ out:
/// the same step needs a learning rate of η/γ here (or γ times as much there).
///
/// L evaluations on the same batch; one temporary tensor per parameter. The reported loss is L(θ), that of the
/// first evaluation. Parameters without gradient do not walk. ε is multiplied by what controllers and the cuts after
/// rollbacks leave of every noise strength; `stability.sigmaMax`, in gradient units, is not for it.
///
/// Source: Chaudhari et al. 2017, Entropy-SGD: Biasing Gradient Descent into Wide Valleys.
public struct EntropySGD: ParameterPerturbation {
    /// L, steps of the walk; 1…10000, default 20.
    public var steps: Int
    /// η', the walk's learning rate; > 0, default 0.1.
    public var rate: Scheduled
    /// γ, how strongly the walk is tied to θ; ≥ 0, default 1e-2. The paper lets it grow ("scoping").
    public var gamma: Scheduled
    /// ε, the noise of the walk, in units of θ/√η'; ≥ 0, default 1e-4.
    public var epsilon: Scheduled
    /// α, the weight of the newest x in μ; 0 < α ≤ 1, default 0.75.
    public var alpha: Scheduled

    public init(
        steps: Int = 20, rate: Scheduled = 0.1, gamma: Scheduled = 0.01, epsilon: Scheduled = 1e-4,
        alpha: Scheduled = 0.75
    ) {
        self.steps = steps
        self.rate = rate
        self.gamma = gamma
        self.epsilon = epsilon
        self.alpha = alpha
    }

    public var temporaries: Int { 1 }
    public var isNoise: Bool { true }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&rate)
        try body(&gamma)
        try body(&epsilon)
        try body(&alpha)
    }

    public func validate() throws {
        try ObjectiveChecks.count("steps", steps, atMost: 10_000)
        try ObjectiveChecks.positive("rate", rate)
        try ObjectiveChecks.notNegative("gamma", gamma)
        try ObjectiveChecks.notNegative("epsilon", epsilon)
        try alpha.require(
            "alpha", in: Double.leastNonzeroMagnitude...1, allowed: "a weight with 0 < alpha ≤ 1")
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "entropySGD", summary: "Descends on the local entropy, by a Langevin walk around θ.",
        equation: "L times: x ← x − η'·(∇L(x) − γ(t)·(θ − x)) + √η'·ε·ξ, μ ← (1−α)μ + αx; g ← γ(t)·(θ − μ)",
        parameters: [
            .init("steps", "integer", default: "20", allowed: "1 … 10000", "L, steps of the walk"),
            .init("rate", "schedule", default: "0.1", allowed: "> 0", unit: "θ per gradient", "η'"),
            .init(
                "gamma", "schedule", default: "0.01", allowed: "≥ 0", unit: "gradient per θ",
                "γ, how strongly the walk is tied to θ"),
            .init(
                "epsilon", "schedule", default: "1e-4", allowed: "≥ 0", unit: "θ/√η', a standard deviation",
                "ε, the walk's noise"),
            .init(
                "alpha", "schedule", default: "0.75", allowed: "0 < alpha ≤ 1",
                "α, the weight of the newest x"),
        ],
        source: "Chaudhari et al. 2017, Entropy-SGD: Biasing Gradient Descent into Wide Valleys")

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let d = EntropySGD()
        self.init(
            steps: try container.decode(.steps, default: d.steps),
            rate: try container.decode(.rate, default: d.rate),
            gamma: try container.decode(.gamma, default: d.gamma),
            epsilon: try container.decode(.epsilon, default: d.epsilon),
            alpha: try container.decode(.alpha, default: d.alpha))
    }

    public func gradient(_ pass: ObjectivePass) throws -> ObjectiveGradient {
        let rate = rate.value(at: pass.step)
        let gamma = gamma.value(at: pass.step)
        let noise = rate.squareRoot() * epsilon.value(at: pass.step) * pass.strengthScale
        var loss = 0.0
        for number in 0..<steps {
            let value = try pass.evaluate()
            if number == 0 { loss = value }
            pass.perturb(
                Walk(
                    rate: rate, gamma: gamma, noise: noise, alpha: alpha.value(at: pass.step), number: number)
            )
        }
        pass.run(Direction(gamma: gamma))
        return ObjectiveGradient(loss: loss, .temporary(0))
    }

    /// One step of x, and of μ in the temporary tensor.
    private struct Walk: BlockWork {
        let rate: Double
        let gamma: Double
        let noise: Double
        let alpha: Double
        let number: Int

        func run<S: EquationScalar>(_ block: ObjectiveBlock<S>) -> SIMD4<Double> {
            let mean = block.temporaries[0]
            if number == 0 { _ = mean.update(fromContentsOf: block.original) }
            guard let gradient = block.gradient else { return .zero }
            let rate = S(rate)
            let gamma = S(gamma)
            for i in 0..<block.count {
                let pull = gamma * (block.original[i] - block.parameters[i])
                block.parameters[i] -= rate * (gradient[i] - pull)
            }
            if noise != 0 {
                block.addNoise(.normal, scale: noise, draw: number, to: block.parameters)
            }
            let keep = S(1 - alpha)
            let alpha = S(alpha)
            for i in 0..<block.count {
                mean[i] = (keep * mean[i]).addingProduct(alpha, block.parameters[i])
            }
            return .zero
        }
    }

    /// temporary ← γ(θ − μ)
    private struct Direction: BlockWork {
        let gamma: Double

        func run<S: EquationScalar>(_ block: ObjectiveBlock<S>) -> SIMD4<Double> {
            let gamma = S(gamma)
            let mean = block.temporaries[0]
            for i in 0..<block.count { mean[i] = gamma * (block.original[i] - mean[i]) }
            return .zero
        }
    }
}
