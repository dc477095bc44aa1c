/// Settings of every catalogued type, as they are written in a configuration (JSON): what the table tests run.
///
/// A type that is registered in `Catalogue.builtIn` and has no line here makes those tests fail, naming it.
package struct CatalogueSample: Sendable {
    /// Ordinary settings, with which the type does something within a few steps.
    package let settings: String
    /// Settings of strength zero, which must change no bit; nil where a type has no such.
    package let zero: String?
    /// The rule that a term goes with.
    package let rule: String

    package init(_ settings: String, zero: String? = nil, rule: String = CatalogueSample.momentum) {
        self.settings = settings
        self.zero = zero
        self.rule = rule
    }

    package static let momentum = #"{"momentum": {"learningRate": 0.05, "momentum": 0.8}}"#
    package static let adam = #"{"adam": {"learningRate": 0.02}}"#
}

extension CatalogueSample {
    package static let perturbations: [String: [CatalogueSample]] = [
        "gaussian": strengths("sigma"), "uniform": strengths("sigma"), "laplace": strengths("sigma"),
        "orthogonal": strengths("sigma"),
        "dropNoise": [.init(#"{"probability": 0.3}"#, zero: #"{"probability": 0}"#)],
        "gradientScaled": [.init(#"{"alpha": 0.3}"#, zero: #"{"alpha": 0}"#)],
        "weightPenalty": [
            .init(#"{"l1": 0.01, "l2": 0.1}"#, zero: #"{"l1": 0, "l2": 0}"#),
            .init(#"{"group": 0.1}"#, zero: #"{"group": 0}"#),
        ],
        "rotation": [.init(#"{"angle": 0.6}"#, zero: #"{"angle": 0}"#)],
        "curvatureShaped": ["0.5", "-0.5", "0.25", "-0.75", "1", "0"].flatMap { exponent in
            [#""sigma": S"#, #""sigma": {"relative": S}, "source": "hessianDiagonal""#].map { text in
                func settings(_ sigma: String) -> String {
                    "{\(text.replacing("S", with: sigma)), \"exponent\": \(exponent)}"
                }
                return .init(settings("0.2"), zero: settings("0"), rule: adam)
            }
        },
        "gradientCovariance": [.init(#"{"scale": 0.5}"#, zero: #"{"scale": 0}"#)],
        "gradDrop": [.init(#"{"leak": 0.2}"#, zero: #"{"leak": 1}"#)],
        "antiCorrelated": [.init(#"{"sigma": 0.01}"#, zero: #"{"sigma": 0}"#)],
        "saddleEscape": [
            .init(
                #"{"radius": 3, "gradientThreshold": 1e6, "stepThreshold": 2}"#,
                zero: #"{"radius": 0, "gradientThreshold": 1e6, "stepThreshold": 2}"#)
        ],
        "anchor": [
            .init(#"{"strength": 0.5}"#, zero: #"{"strength": 0}"#),
            .init(#"{"strength": 0.5, "radius": 0.01}"#, zero: #"{"strength": 0, "radius": 0.01}"#),
        ],
        "learned": [
            .init(#"{"sigma": 0.2, "rate": 0.1}"#, zero: #"{"sigma": 0}"#),
            .init(#"{"sigma": {"relative": 0.3}, "rate": 0.1}"#, zero: #"{"sigma": 0}"#, rule: adam),
        ],
        "mixture": [
            .init(
                #"{"parts": [{"term": {"gaussian": {"sigma": 0.2}}, "weight": 0.5}, {"term": {"orthogonal": {"sigma": 0.3}}, "weight": {"exponential": {"from": 1, "factor": 0.8}}}]}"#,
                zero: #"{"parts": [{"term": {"gaussian": {"sigma": 0.2}}, "weight": 0}]}"#),
            .init(
                #"{"parts": [{"term": {"anchor": {"strength": 0.5}}, "weight": 1}, {"term": {"laplace": {"sigma": 0.3}}, "weight": 2}], "draw": true}"#
            ),
        ],
        "alternating": [
            .init(
                #"{"terms": [{"gaussian": {"sigma": 0.2}}, {"mixture": {"parts": [{"term": {"learned": {"sigma": 0.1}}, "weight": 1}]}}], "every": 2}"#,
                zero: #"{"terms": [{"gaussian": {"sigma": 0}}]}"#)
        ],
        "curriculum": [
            .init(
                #"{"phases": [{"from": 0, "term": {"uniform": {"sigma": 0.2}}}, {"from": 2}, {"from": 4, "term": {"dropNoise": {"probability": 0.3}}}]}"#,
                zero: #"{"phases": [{"from": 0}, {"from": 100, "term": {"uniform": {"sigma": 0.2}}}]}"#)
        ],
        "adaptive": ["identity", "sign", "tanh", "square", "root", "normalised"].map {
            .init(#"{"alpha": 0.2, "function": "\#($0)"}"#, zero: #"{"alpha": 0, "function": "\#($0)"}"#)
        },
    ]

    package static let parameterPerturbations: [String: [CatalogueSample]] = [
        "sam": [.init(#"{"rho": 0.3}"#, zero: #"{"rho": 0}"#), .init("{}", rule: adam)],
        "asam": [.init(#"{"rho": 0.5, "eta": 0.1}"#, zero: #"{"rho": 0}"#)],
        "gsam": [
            .init(#"{"rho": 0.3, "alpha": 0.4}"#, zero: #"{"rho": 0, "alpha": 0.4}"#),
            .init(#"{"rho": 0.3, "alpha": 0}"#),
        ],
        "lookSAM": [.init(#"{"rho": 0.3, "alpha": 0.5, "every": 3}"#, zero: #"{"rho": 0, "every": 3}"#)],
        "randomWeights": [
            .init(#"{"sigma": 0.1}"#, zero: #"{"sigma": 0}"#),
            .init(#"{"sigma": 0.1, "scale": "one", "samples": 3}"#, zero: #"{"sigma": 0, "samples": 3}"#),
        ],
        "awp": [.init(#"{"gamma": 0.1, "vectors": true}"#, zero: #"{"gamma": 0, "vectors": true}"#)],
        "parameterSpaceNoise": [
            .init(#"{"sigma": 0.1, "target": 0.1, "factor": 1.2}"#, zero: #"{"sigma": 0}"#),
            .init(#"{"sigma": 0.1, "distance": "reported"}"#, rule: adam),
        ],
        "entropySGD": [.init(#"{"steps": 3, "rate": 0.2, "gamma": 0.5, "epsilon": 0.05, "alpha": 0.6}"#)],
        "mezo": [.init(#"{"epsilon": 0.01}"#)],
    ]

    package static let rules: [String: [CatalogueSample]] = [
        "sgd": [
            .init(#"{"learningRate": 0.05, "momentum": 0.5, "dampening": 0.2, "weightDecay": 0.01}"#),
            .init(#"{"learningRate": 0.05}"#),
        ],
        "momentum": [.init(#"{"learningRate": 0.05, "momentum": 0.8}"#)],
        "nesterov": [.init(#"{"learningRate": 0.05, "momentum": 0.8}"#)],
        "adam": [.init(#"{"learningRate": 0.02, "weightDecay": 0.1, "amsgrad": true}"#), .init("{}")],
        "adamW": [.init(#"{"learningRate": 0.02, "weightDecay": 0.1}"#)],
        "ivon": [
            .init(#"{"effectiveSampleSize": 100, "beta2": 0.9, "clipRadius": 0.5}"#),
            .init(
                #"{"effectiveSampleSize": 100, "learningRate": 0.02, "clipRadius": 1, "samples": 3, "rescaleRate": false, "debias": false}"#
            ),
        ],
        "bsam": [
            .init(
                #"{"learningRate": 0.05, "effectiveSampleSize": 100, "rho": 0.1, "beta2": 0.9, "damping": 0.2}"#
            ),
            .init(#"{"learningRate": 0.02, "effectiveSampleSize": 100, "rho": 0}"#),
        ],
        "rmsProp": [.init(#"{"learningRate": 0.01, "momentum": 0.5, "centred": true}"#), .init("{}")],
        "adaGrad": [
            .init(#"{"learningRate": 0.1, "learningRateDecay": 0.1, "initialAccumulator": 0.2}"#),
            .init("{}"),
        ],
        "adamPE": [
            .init(#"{"learningRate": 0.02, "weightDecay": 0.1, "decoupled": true, "floor": 0.001}"#),
            .init(#"{"beta2": {"linear": {"from": 0.9, "to": 0.99, "steps": 5}}}"#),
        ],
        "rmsPE": [.init(#"{"learningRate": 0.01, "momentum": 0.5}"#), .init("{}")],
        "pnm": [.init(#"{"learningRate": 0.05, "weightDecay": 0.1}"#)],
        "adaPNM": [
            .init(#"{"learningRate": 0.02, "weightDecay": 0.1, "decoupled": false, "amsgrad": false}"#),
            .init("{}"),
        ],
        "sgld": [.init(#"{"learningRate": 0.01, "dataSize": 3, "weightDecay": 0.1}"#)],
        "psgld": [.init(#"{"learningRate": 0.01, "alpha": 0.9, "epsilon": 0.01}"#)],
        "sghmc": [.init(#"{"learningRate": 0.01, "friction": 0.2, "gradientNoise": 0.1}"#)],
        "sgnht": [.init(#"{"learningRate": 0.01, "friction": 0.1, "temperature": 0.5}"#)],
    ]

    /// The equation that they control has noise, and a rule with a second moment.
    package static let controllers: [String: [CatalogueSample]] = [
        "plateau": [
            .init(#"{"scales": "sigma", "factor": 0.5, "patience": 0, "window": 1}"#),
            .init(#"{"scales": "learningRate", "factor": 0.5, "patience": 0, "window": 2, "cooldown": 1}"#),
        ],
        "targetNoiseRatio": [
            .init(#"{"target": 0.5, "every": 2}"#), .init(#"{"target": 0.5, "of": "update", "every": 1}"#),
        ],
        "gradientNoiseScale": [.init(#"{"scales": "sigma", "smoothing": 0.5, "minimumHistory": 2}"#)],
        "lossImprovement": [.init(#"{"scales": "sigma", "window": 1}"#)],
        "parameterDistance": [.init(#"{"scales": "sigma", "target": 0.1, "every": 2, "rate": 1.5}"#)],
    ]

    /// Values within 0 … 1 over a run of 100 steps, not constant where the type allows it.
    package static let schedules: [String: [CatalogueSample]] = [
        "constant": [.init(#"{"value": 0.3}"#)],
        "linear": [.init(#"{"from": 0.5, "to": 0}"#), .init(#"{"from": 0, "to": 0.5, "steps": 4}"#)],
        "exponential": [.init(#"{"from": 0.5, "factor": 0.7}"#)],
        "geometric": [
            .init(#"{"from": 0.01, "to": 0.9, "steps": 10}"#), .init(#"{"from": 0.5, "to": 0.01}"#),
        ],
        "step": [.init(#"{"from": 0.5, "factor": 0.5, "every": 2}"#)],
        "cosine": [.init(#"{"from": 0.5, "to": 0.1, "warmup": 3}"#)],
        "cosineRestarts": [.init(#"{"from": 0.5, "to": 0.1, "period": 2, "periodFactor": 2}"#)],
        "polynomial": [.init(#"{"from": 0.5, "power": 2, "steps": 5}"#)],
        "oneCycle": [.init(#"{"peak": 0.5, "steps": 8}"#)],
        "riseNearTheEnd": [.init(#"{"from": 0.5, "low": 0.1, "to": 0.4, "fraction": 0.5, "steps": 6}"#)],
        "piecewise": [.init(#"{"values": [0.5, 0.2], "boundaries": [2]}"#)],
        "inversePower": [.init(#"{"from": 0.5, "exponent": 0.55}"#)],
        "annealedGradientNoise": [.init(#"{"eta": 0.3}"#)],
        "sequence": [
            .init(#"{"phases": [{"value": 0.1, "steps": 2}, {"value": {"linear": {"from": 0.4, "to": 0}}}]}"#)
        ],
        "product": [.init(#"{"factors": [0.5, {"exponential": {"from": 1, "factor": 0.8}}]}"#)],
        "sum": [.init(#"{"terms": [0.1, {"exponential": {"from": 0.3, "factor": 0.8}}]}"#)],
    ]

    private static func strengths(_ key: String) -> [CatalogueSample] {
        ["S", #"{"relative": S}"#, #"{"relative": S, "over": "all"}"#].map { text in
            func settings(_ strength: String) -> String {
                "{\"\(key)\": " + text.replacing("S", with: strength) + "}"
            }
            return .init(settings("0.2"), zero: settings("0"))
        }
    }
}
