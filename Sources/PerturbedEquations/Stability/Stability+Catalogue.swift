extension Stability {
    /// One entry per guard, for `peo list guards`.
    static let guards: [CatalogueEntry] = [
        limit(
            "clipValue", "Clamp each element of the gradient.", "g ← clamp(g, −c, c)",
            "Pascanu et al. 2013 for clipping"),
        limit(
            "clipNorm", "Clip the norm of each tensor's gradient.", "g ← g·min(1, c/‖g‖), per tensor",
            "Pascanu et al. 2013, On the Difficulty of Training Recurrent Neural Networks"),
        limit(
            "clipGlobalNorm", "Clip the norm of the whole gradient.",
            "g ← g·min(1, c/‖g‖), over all parameters",
            "Pascanu et al. 2013, On the Difficulty of Training Recurrent Neural Networks"),
        CatalogueEntry(
            name: "clipAdaptive", summary: "Clip each unit's gradient by the norm of its weights.",
            equation: "g ← g·min(1, λ·max(‖θ‖, ε)/‖g‖), per row of the first axis; per tensor for vectors",
            parameters: [
                .init("ratio", "schedule", allowed: "> 0", "λ"),
                .init(
                    "floor", "number", default: "0.001", allowed: "> 0", unit: "θ",
                    "ε, the norm that weights are taken to have at least"),
                .init(
                    "unitWise", "boolean", default: "true", allowed: "true, false",
                    "each row by itself; false: each tensor as a whole"),
                .init(
                    "exclude", "list of names", default: "[]", allowed: "names or patterns with *",
                    "parameters that are left alone"),
            ],
            source: "Brock et al. 2021, High-Performance Large-Scale Image Recognition Without Normalization"),
        CatalogueEntry(
            name: "perturbationToGradient", summary: "Bound the perturbation by the gradient.",
            equation: "δ ← δ·min(1, ρ‖g‖/‖δ‖), over all parameters",
            parameters: [
                .init("perturbationToGradient", "schedule", allowed: "≥ 0", "ρ, measured after clipping")
            ], source: "none needed"),
        CatalogueEntry(
            name: "varianceBound", summary: "Bound the variance of the noise by that of the gradient.",
            equation: "δ ← δ·min(1, √(κ·mean(g²)/mean(δ²))), per tensor",
            parameters: [
                .init("varianceBound", "schedule", allowed: "≥ 0", "κ, measured after clipping")
            ], source: "none needed"),
        CatalogueEntry(
            name: "sigmaMax", summary: "Bound every noise strength of δ.",
            equation: "σ ← min(σ, σ_max); for noise in proportion to g: α·RMS(g) ≤ σ_max, per tensor",
            parameters: [
                .init(
                    "sigmaMax", "schedule", allowed: "≥ 0", unit: "gradient units, a standard deviation",
                    "σ_max")
            ], source: "none needed"),
        CatalogueEntry(
            name: "trustRegion", summary: "Bound the step by the norm of the weights.",
            equation: "θ(t+1) = θ + s·Δ, s = min(1, τ·max(‖θ‖, ε√n)/‖Δ‖), per tensor; Δ is the whole change",
            parameters: [
                .init("ratio", "schedule", allowed: "> 0", "τ"),
                .init(
                    "floor", "number", default: "0.001", allowed: "> 0", unit: "θ",
                    "ε, the root mean square that weights are taken to have at least"),
            ],
            source: "compare You et al. 2020, Large Batch Optimization for Deep Learning (LAMB)"),
        CatalogueEntry(
            name: "skipNonFinite",
            summary: "Skip a step whose gradient or perturbation is not finite, before any state is touched.",
            equation: "θ, state unchanged if any g, δ or g + δ is NaN or ±∞",
            parameters: [
                .init("skipNonFinite", "boolean", default: "true", allowed: "true, false", "on or off")
            ], source: "the loss scaler of Micikevicius et al. 2018, Mixed Precision Training"),
        CatalogueEntry(
            name: "rollbackOnSpike",
            summary: "Return to the last good state when the loss jumps, with less noise.",
            equation: "L(t) > median + k·max(MAD, |median|/1000, d₀) → restore θ and state, σ ← cut·σ",
            parameters: [
                .init("deviations", "number", default: "6", allowed: "> 0", unit: "MAD", "k"),
                .init(
                    "smallestDeviation", "number", default: "0", allowed: "≥ 0", unit: "loss",
                    "d₀, for losses near zero"),
                .init(
                    "window", "integer", default: "100", allowed: "≥ 10", unit: "losses",
                    "how many are remembered"),
                .init(
                    "minimumHistory", "integer", default: "20", allowed: "2 … window", unit: "losses",
                    "how many must be known"),
                .init(
                    "snapshotEvery", "integer", default: "100", allowed: "≥ 1", unit: "steps",
                    "between copies of θ and the state"),
                .init(
                    "cut", "number", default: "0.5", allowed: "0 … 1",
                    "the factor on every σ, of δ and on the parameters, at each rollback"),
                .init(
                    "attempts", "integer", default: "5", allowed: "≥ 0", "rollbacks in a row before stopping"),
            ], source: "compare the restarts of Chowdhery et al. 2022, PaLM, section 5.1"),
    ]

    private static func limit(
        _ name: String, _ summary: String, _ equation: String, _ source: String
    ) -> CatalogueEntry {
        CatalogueEntry(
            name: name, summary: summary, equation: equation,
            parameters: [.init(name, "schedule", allowed: "> 0", unit: "gradient units", "c")], source: source
        )
    }
}
