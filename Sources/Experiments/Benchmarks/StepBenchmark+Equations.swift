import PerturbedEquations

/// The equations that `peo bench step` times.
extension StepBenchmark {
    struct Entry: Sendable {
        let name: String
        let equation: PerturbedEquation
        /// Whether it is also timed against libtorch's Adam after `randn_like`.
        var isHeadline = false

        init(_ name: String, _ equation: PerturbedEquation, isHeadline: Bool = false) {
            self.name = name
            self.equation = equation
            self.isHeadline = isHeadline
        }
    }

    static let gaussian = Gaussian(sigma: 1e-3)

    static func adam(_ terms: [any Perturbation], _ stability: Stability = .none) -> PerturbedEquation {
        PerturbedEquation(rule: Adam(learningRate: 1e-3), perturbation: terms, stability: stability)
    }

    static func sgd(_ terms: [any Perturbation], _ stability: Stability = .none) -> PerturbedEquation {
        PerturbedEquation(rule: SGD(learningRate: 1e-3), perturbation: terms, stability: stability)
    }

    /// In the order of the table. Guards are off unless named.
    static let equations: [Entry] = {
        func guarded(_ set: (inout Stability) -> Void) -> PerturbedEquation {
            var stability = Stability.none
            set(&stability)
            return adam([gaussian], stability)
        }
        return [
            Entry("PEO adam", adam([])),
            Entry("PEO adam + gaussian", adam([gaussian]), isHeadline: true),
            Entry("  … + skipNonFinite", adam([gaussian], Stability())),
            Entry("  … + clipGlobalNorm", guarded { $0.clipGlobalNorm = 1e9 }),
            Entry("  … + perturbationToGradient", guarded { $0.perturbationToGradient = 1e9 }),
            Entry("PEO adam + uniform", adam([Uniform(sigma: 1e-3)])),
            Entry("PEO adam + laplace", adam([Laplace(sigma: 1e-3)])),
            Entry("PEO adam + dropNoise", adam([DropNoise(probability: 0.1)])),
            Entry("PEO adam + gradientScaled", adam([GradientScaled(alpha: 0.1)])),
            Entry("PEO adam + weightPenalty", adam([WeightPenalty(l2: 1e-4)])),
            Entry("PEO adam + orthogonal", adam([Orthogonal(sigma: 1e-3)])),
            Entry(
                "PEO adam + three terms",
                adam([gaussian, GradientScaled(alpha: 0.1), WeightPenalty(l2: 1e-4)])),
            Entry("PEO sgd", sgd([])),
            Entry("PEO sgd + gaussian", sgd([gaussian])),
        ]
    }()
}
