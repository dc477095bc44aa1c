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
        var loss = 0.0
        for sample in 0..<samples {
            let deviation = Deviation(rules: rules, updates: pass.optimizer.updates, step: pass.step)
            pass.perturb(Sample(deviation: deviation, draw: sample))
            loss += try pass.evaluate() / Double(samples)
            guard samples > 1 else { continue }
            pass.run(
                MixGradient(temporary: 0, keep: sample == 0 ? 0 : 1, scale: 1 / Double(samples)))
            pass.run(
                Curvature(
                    deviation: deviation, draw: sample, isFirst: sample == 0, share: 1 / Double(samples)))
        }
        return samples > 1
            ? ObjectiveGradient(loss: loss, .temporary(0), curvature: 1) : ObjectiveGradient(loss: loss)
    }

    /// 1/s² of one element: λ(h + δ).
    private struct Deviation {
        let rules: [IVON?]
        let updates: [Int]
        let step: Int

        /// The rule, and λ, δ and, before the first update, h₀.
        func settings<S: EquationScalar>(
            _ block: ObjectiveBlock<S>
        ) -> (size: S, decay: S, initial: S?)? {
            guard let rule = rules[block.parameter] else { return nil }
            return (
                S(rule.size(at: step)), S(rule.weightDecay.value(at: step)),
                updates[block.parameter] == 0 ? S(rule.initialHessian) : nil
            )
        }
    }

    /// θ̃ ← θ + s⊙ξ
    private struct Sample: BlockWork {
        let deviation: Deviation
        let draw: Int

        func run<S: EquationScalar>(_ block: ObjectiveBlock<S>) -> SIMD4<Double> {
            block.reset()
            guard let (size, decay, initial) = deviation.settings(block) else { return .zero }
            let hessian = block.ruleState[1]
            for i in 0..<block.count {
                block.scratch[i] = 1 / (size * ((initial ?? hessian[i]) + decay)).squareRoot()
            }
            var theta = block.parameters.mutableSpan
            block.noise(draw: draw).add(
                .normal, scale: 1, times: UnsafeBufferPointer(block.scratch).span, to: &theta)
            return .zero
        }
    }

    /// temporary 1 ← temporary 1 + share·g⊙ξ/s
    private struct Curvature: BlockWork {
        let deviation: Deviation
        let draw: Int
        let isFirst: Bool
        let share: Double

        func run<S: EquationScalar>(_ block: ObjectiveBlock<S>) -> SIMD4<Double> {
            guard let gradient = block.gradient, let (size, decay, initial) = deviation.settings(block) else {
                return .zero
            }
            let hessian = block.ruleState[1]
            let sum = block.temporaries[1]
            var noise = block.scratch.mutableSpan
            block.noise(draw: draw).fill(&noise, with: .normal)
            let share = S(share)
            for i in 0..<block.count {
                let precision = (size * ((initial ?? hessian[i]) + decay)).squareRoot()
                let estimate = share * gradient[i] * block.scratch[i] * precision
                sum[i] = isFirst ? estimate : sum[i] + estimate
            }
            return .zero
        }
    }
}
