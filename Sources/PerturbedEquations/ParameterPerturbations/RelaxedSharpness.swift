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
        let posterior = VariationalPosterior(rules, pass)
        pass.perturb(posterior.sample(draw: 0))
        try pass.evaluate()
        pass.run(CopyGradient(temporary: 0))
        pass.perturb(Ascend(posterior: posterior))
        let loss = try pass.evaluate()
        return ObjectiveGradient(loss: loss, .evaluated, curvature: 0)
    }

    /// θ̃ ← θ + ρ·g/s
    private struct Ascend: BlockWork {
        let posterior: VariationalPosterior<BSAM>

        func run<S: EquationScalar>(_ block: ObjectiveBlock<S>) -> SIMD4<Double> {
            block.reset()
            guard let gradient = block.gradient, let rule = posterior.rules[block.parameter],
                let precision = posterior.precision(block)
            else {
                return .zero
            }
            let rho = S(rule.rho.value(at: posterior.step))
            for i in 0..<block.count {
                block.parameters[i] += rho * gradient[i] / (precision.initial ?? precision.state[i])
            }
            return .zero
        }
    }
}
