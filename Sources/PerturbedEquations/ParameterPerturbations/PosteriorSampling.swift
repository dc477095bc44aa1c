/// The weight sampling that the rule IVON brings: θ̃ = θ + s⊙ξ, s = 1/√(λ(h + δ)), for its parameters.
///
/// One sample needs nothing that grows with the parameters but the copy of θ: the rule draws ξ again. Several need
/// two temporary tensors, for the means of g and of g⊙ξ/s.
struct PosteriorSampling: ParameterPerturbation {
    /// The rule of each parameter; nil where another one has it.
    let rules: [IVON?]
    let samples: Int

    /// nil where no parameter has such a rule.
    /// - Throws: `ConfigurationError` for a rule that has not been told λ.
    init?(rules: [any UpdateRule]) throws {
        self.rules = rules.map { $0 as? IVON }
        for rule in self.rules { try rule?.requireSize() }
        guard let most = self.rules.compactMap({ $0?.samples }).max() else { return nil }
        samples = most
    }

    static let catalogueEntry = CatalogueEntry(
        name: "posteriorSampling", summary: "The weight sampling that the rule ivon brings.",
        equation: "θ̃ = θ + ξ/√(λ(h + δ))", parameters: [], source: "Shen et al. 2024")

    init(from decoder: any Decoder) throws {
        throw ConfigurationError("comes with the rule ivon and cannot be chosen")
    }

    func encode(to encoder: any Encoder) throws {
        throw ConfigurationError("comes with the rule ivon and cannot be written down")
    }

    var temporaries: Int { samples > 1 ? 2 : 0 }

    func gradient(_ pass: ObjectivePass) throws -> ObjectiveGradient {
        let posterior = VariationalPosterior(rules, pass)
        var loss = 0.0
        for sample in 0..<samples {
            pass.perturb(posterior.sample(draw: sample))
            loss += try pass.evaluate() / Double(samples)
            guard samples > 1 else { continue }
            pass.run(
                MixGradient(temporary: 0, keep: sample == 0 ? 0 : 1, scale: 1 / Double(samples)))
            pass.run(
                Curvature(
                    posterior: posterior, draw: sample, isFirst: sample == 0, share: 1 / Double(samples)))
        }
        return samples > 1
            ? ObjectiveGradient(loss: loss, .temporary(0), curvature: 1) : ObjectiveGradient(loss: loss)
    }

    /// temporary 1 ← temporary 1 + share·g⊙ξ/s
    private struct Curvature: BlockWork {
        let posterior: VariationalPosterior<IVON>
        let draw: Int
        let isFirst: Bool
        let share: Double

        func run<S: EquationScalar>(_ block: ObjectiveBlock<S>) -> SIMD4<Double> {
            guard let gradient = block.gradient, let precision = posterior.precision(block) else {
                return .zero
            }
            let sum = block.temporaries[1]
            var noise = block.scratch.mutableSpan
            block.noise(draw: draw).fill(&noise, with: .normal)
            let share = S(share)
            for i in 0..<block.count {
                let estimate = share * gradient[i] * block.scratch[i] * precision[i].squareRoot()
                sum[i] = isFirst ? estimate : sum[i] + estimate
            }
            return .zero
        }
    }
}
