/// The two evaluations that the rule bSAM brings: at θ + ξ/√(λs), and then at θ + ρ·g/s, for its parameters.
///
/// A temporary tensor has the first gradient, which the rule gets beside the second.
struct RelaxedSharpness: ParameterPerturbation {
    /// The rule of each parameter; nil where another one has it.
    let rules: [BSAM?]

    /// nil where no parameter has such a rule.
    /// - Throws: `ConfigurationError` for a rule that has not been told λ.
    init?(rules: [any UpdateRule]) throws {
        self.rules = rules.map { $0 as? BSAM }
        for rule in self.rules { try rule?.requireSize() }
        guard self.rules.contains(where: { $0 != nil }) else { return nil }
    }

    static let catalogueEntry = CatalogueEntry(
        name: "relaxedSharpness", summary: "The evaluations that the rule bsam brings.",
        equation: "g = ∇L(θ + ξ/√(λs)), g' = ∇L(θ + ρg/s)", parameters: [],
        source: "Möllenhoff and Khan 2023")

    init(from decoder: any Decoder) throws {
        throw ConfigurationError("comes with the rule bsam and cannot be chosen")
    }

    func encode(to encoder: any Encoder) throws {
        throw ConfigurationError("comes with the rule bsam and cannot be written down")
    }

    var temporaries: Int { 1 }

    func gradient(_ pass: ObjectivePass) throws -> ObjectiveGradient {
        let settings = Settings(rules: rules, updates: pass.optimizer.updates, step: pass.step)
        pass.perturb(Sample(settings: settings))
        try pass.evaluate()
        pass.run(CopyGradient(temporary: 0))
        pass.perturb(Ascend(settings: settings))
        let loss = try pass.evaluate()
        return ObjectiveGradient(loss: loss, .evaluated, curvature: 0)
    }

    private struct Settings {
        let rules: [BSAM?]
        let updates: [Int]
        let step: Int

        /// The rule, and s₀ before the first update.
        func of<S: EquationScalar>(_ block: ObjectiveBlock<S>) -> (rule: BSAM, initial: S?)? {
            rules[block.parameter].map { rule in
                (rule, updates[block.parameter] == 0 ? S(rule.initialPrecision) : nil)
            }
        }
    }

    /// θ̃ ← θ + ξ/√(λs)
    private struct Sample: BlockWork {
        let settings: Settings

        func run<S: EquationScalar>(_ block: ObjectiveBlock<S>) -> SIMD4<Double> {
            block.reset()
            guard let (rule, initial) = settings.of(block) else { return .zero }
            let size = S(rule.size(at: settings.step))
            let precision = block.ruleState[1]
            for i in 0..<block.count {
                block.scratch[i] = 1 / (size * (initial ?? precision[i])).squareRoot()
            }
            var theta = block.parameters.mutableSpan
            block.noise(draw: 0).add(
                .normal, scale: 1, times: UnsafeBufferPointer(block.scratch).span, to: &theta)
            return .zero
        }
    }

    /// θ̃ ← θ + ρ·g/s
    private struct Ascend: BlockWork {
        let settings: Settings

        func run<S: EquationScalar>(_ block: ObjectiveBlock<S>) -> SIMD4<Double> {
            block.reset()
            guard let gradient = block.gradient, let (rule, initial) = settings.of(block) else {
                return .zero
            }
            let rho = S(rule.rho.value(at: settings.step))
            let precision = block.ruleState[1]
            for i in 0..<block.count {
                block.parameters[i] += rho * gradient[i] / (initial ?? precision[i])
            }
            return .zero
        }
    }
}
