import Models
import PerturbedEquations
import TorchNN
import Training

/// Noise on data, activations and weights, which is not part of the update equation: `peo list noise`.
enum NoiseEntries {
    static let all = [
        inputNoise, labelNoise, targetNoise, noisyLinear, neftune, conditioned, augment, corrupt,
    ]

    private static let inputNoise = CatalogueEntry(
        name: "inputNoise", summary: "Noise on the inputs in training: training.inputNoise.",
        equation: "x ← x + σ(t)·ξ, E[ξ] = 0, E[ξ²] = 1",
        parameters: [
            .init(
                "sigma", "schedule", allowed: "≥ 0", unit: "input units after scaling, a standard deviation",
                "σ"),
            distribution(default: .normal),
        ], source: "Bishop 1995, Training with Noise is Equivalent to Tikhonov Regularization")

    private static let labelNoise = CatalogueEntry(
        name: "labelNoise", summary: "Labels drawn anew in training: training.labelNoise.",
        equation: "y ← uniform over all C classes with probability ρ(t); P(wrong) = ρ(C − 1)/C",
        parameters: [
            .init("rate", "schedule", allowed: "0 ≤ rate ≤ 1", "ρ"),
            .init(
                "redraw", "name", default: LabelNoise.Redraw.everyStep.rawValue,
                allowed: names(LabelNoise.Redraw.self),
                "independently at every step, or once for each example"),
        ],
        source:
            "HaoChen, Wei, Lee and Ma 2021, Shape Matters; once: Zhang et al. 2017, Understanding Deep Learning "
            + "Requires Rethinking Generalization")

    private static let augment = CatalogueEntry(
        name: "augment", summary: "Other views of each image in training: training.augment.",
        equation: "x[y, x] ← x[y + u, ±x + v], u, v ~ U{−crop … crop}, 0 outside; then 0 in a square",
        parameters: [
            .init("crop", "integer", default: "0", allowed: "0 to 1000", unit: "pixels", "the largest shift"),
            .init(
                "flip", "true or false", default: "false", allowed: "true, false",
                "mirrored left to right with probability ½"),
            .init(
                "cutout", "integer", default: "0", allowed: "0 to 10000", unit: "pixels",
                "the side of a square that becomes 0"),
        ],
        source:
            "He et al. 2016, Deep Residual Learning; DeVries and Taylor 2017, Improved Regularization of "
            + "Convolutional Neural Networks with Cutout")

    private static let corrupt = CatalogueEntry(
        name: "corrupt", summary: "Damaged images in training: training.corrupt.",
        equation: "x ← clip((G∗x − mean)·c + mean + σξ) with probability rate",
        parameters: [
            .init("blur", "integer", default: "0", allowed: "severities 0 to 5", "a Gaussian blur G"),
            .init("contrast", "integer", default: "0", allowed: "severities 0 to 5", "lost contrast c"),
            .init("gaussian", "integer", default: "0", allowed: "severities 0 to 5", "noise of deviation σ"),
            .init("rate", "number", default: "1", allowed: "0 to 1", "the share of images"),
            .init(
                "redraw", "name", default: Corruption.Redraw.once.rawValue,
                allowed: names(Corruption.Redraw.self), "once for each image, or in every epoch"),
        ],
        source: "Hendrycks and Dietterich 2019, Benchmarking Neural Network Robustness")

    private static let targetNoise = CatalogueEntry(
        name: "targetNoise", summary: "Noise on the numbers of a regression: training.targetNoise.",
        equation: "y ← y + σ(t)·ξ, ξ = ±1",
        parameters: [
            .init(
                "sigma", "schedule", allowed: "≥ 0",
                unit: "units of the standardised targets, a standard deviation", "σ"),
            distribution(default: .rademacher),
        ],
        source:
            "HaoChen, Wei, Lee and Ma 2021, Shape Matters: Understanding the Implicit Bias of the Noise Covariance"
    )

    private static let noisyLinear = CatalogueEntry(
        name: "noisyLinear",
        summary: "Linear layers that learn how noisy their weights are: a model's noisySigma.",
        equation:
            "y = (M + S ⊙ f(ε_out)f(ε_in)ᵀ)x + m + s ⊙ f(ε_out), f(ε) = sign(ε)√|ε|, ε ~ N(0, 1); S, s start at "
            + "σ₀/√inputs",
        parameters: [
            .init(
                "noisySigma", "number", default: "0", allowed: "≥ 0; 0.5 in the paper; 0: plain layers", "σ₀")
        ], source: "Fortunato et al. 2018, Noisy Networks for Exploration")

    private static let neftune = CatalogueEntry(
        name: "neftune",
        summary: "Noisy embeddings in training: neftune of gpt, gpt2, transformer, lstm and gru.",
        equation:
            "y = W[x] + α/√(L·d)·u, u ~ U(−1, 1); L: the sequence's length without padding, d: the width",
        parameters: [
            .init(
                "neftune", "number", default: "0", allowed: "≥ 0; 5 to 15 in the paper; 0: none",
                "α; from Swift NEFTune(embedding, alpha: 5)")
        ],
        source: "Jain et al. 2023, NEFTune: Noisy Embeddings Improve Instruction Finetuning")

    private static let conditioned = CatalogueEntry(
        name: "conditioned", summary: "Hidden layers that are told the noise's σ(t): a model's conditioned.",
        equation: "y = x(1 + γ(σ)) + β(σ), (γ, β) = W·φ(σ), φₖ(σ) = 1 − exp(−2ᵏσ), k = 0 … "
            + "\(SigmaConditioning.features - 1)",
        parameters: [
            .init(
                "conditioned", "boolean", default: "false", allowed: "true, false",
                "σ(t) is that of training.inputNoise, or else of the first noise term with an absolute strength"
            )
        ],
        source:
            "Perez et al. 2018, FiLM; Song and Ermon 2019, Generative Modeling by Estimating Gradients of the Data "
            + "Distribution")

    private static func distribution(default value: NoiseDistribution) -> CatalogueEntry.Parameter {
        .init(
            "distribution", "name", default: value.rawValue, allowed: names(NoiseDistribution.self),
            "of ξ, each of mean 0 and variance 1")
    }

    private static func names<T: CaseIterable & RawRepresentable>(_: T.Type) -> String
    where T.RawValue == String {
        T.allCases.map(\.rawValue).joined(separator: ", ")
    }
}
