import PerturbedEquations

/// The equations that `peo bench step` times.
extension StepBenchmark {
    package struct Entry: Sendable {
        package let name: String
        package let equation: PerturbedEquation
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

    private static let mixture = PerturbedEquations.Mixture([
        .init(gaussian, weight: 0.5), .init(Laplace(sigma: 1e-3), weight: 0.5),
    ])

    private static func saddleEscape(threshold: Double) -> SaddleEscape {
        SaddleEscape(radius: 1e-3, gradientThreshold: Scheduled(threshold), stepThreshold: 0)
    }

    /// In the order of the table: every perturbation of the catalogue is there. Guards are off unless named.
    package static let equations: [Entry] = {
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
            Entry("PEO adam + adaptive tanh", adam([Adaptive(alpha: 0.1, .tanh)])),
            Entry("PEO adam + adaptive root", adam([Adaptive(alpha: 0.1, .root)])),
            Entry("PEO adam + antiCorrelated", adam([AntiCorrelated(sigma: 1e-6)])),
            Entry("PEO adam + anchor", adam([Anchor(strength: 1e-4)])),
            Entry("PEO adam + gradientCovariance", adam([GradientCovariance(scale: 0.1)])),
            Entry("PEO adam + gradDrop", adam([GradDrop(leak: 0.5)])),
            Entry("PEO adam + mixture of two", adam([mixture])),
            Entry("PEO adam + alternating", adam([Alternating([gaussian, Laplace(sigma: 1e-3)])])),
            Entry(
                "PEO adam + curriculum",
                adam([Curriculum([.init(from: 0, gaussian), .init(from: 2, Laplace(sigma: 1e-3))])])),
            Entry("PEO adam + orthogonal *", adam([Orthogonal(sigma: 1e-3)])),
            Entry("PEO adam + rotation *", adam([Rotation(angle: 0.1)])),
            Entry("PEO adam + adaptive normalised *", adam([Adaptive(alpha: 0.1, .normalised)])),
            Entry("PEO adam + anchor with radius *", adam([Anchor(strength: 1e-4, radius: 1e-3)])),
            Entry("PEO adam + learned *", adam([Learned(sigma: 1e-3)])),
            Entry("PEO adam + saddleEscape, waiting *", adam([saddleEscape(threshold: 0)])),
            Entry("PEO adam + saddleEscape, each step *", adam([saddleEscape(threshold: 1e9)])),
            Entry("PEO adam + curvatureShaped *", adam([CurvatureShaped(sigma: 1e-3)])),
            Entry(
                "PEO adam + curvatureShaped, Hessian *",
                adam([CurvatureShaped(sigma: 1e-3, source: .hessianDiagonal)])),
            Entry(
                "PEO adam + curvatureShaped, p = -½ **", adam([CurvatureShaped(sigma: 1e-3, exponent: -0.5)])),
            Entry(
                "PEO adam + three terms",
                adam([gaussian, GradientScaled(alpha: 0.1), WeightPenalty(l2: 1e-4)])),
            Entry("PEO sgd", sgd([])),
            Entry("PEO sgd + gaussian", sgd([gaussian])),
        ]
    }()
}
