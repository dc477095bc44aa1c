/// Where a name leads that a family does not know: to another family, or to what the thing is called here.
enum CatalogueSynonyms {
    /// Names of the field, in small letters, and what they are here.
    private static let known: [CatalogueFamily: [String: String]] = [
        .perturbations: [
            "trustregion":
                "'peo list perturbations anchor' (radius: a ball), 'peo list guards trustRegion' (a bound on the step)",
            "antipgd": "'peo list perturbations antiCorrelated'",
            "pgd": "'peo list perturbations saddleEscape'",
        ],
        .parameterPerturbations: [
            "lpfsgd": "'peo list parameterPerturbations randomWeights'",
            "ivon": "'peo list rules ivon': it brings its own perturbation of the parameters",
        ],
        .rules: ["langevin": "'peo list rules sgld'"],
        .schedules: [
            "warmup": "'warmup: n', which each schedule takes",
            "neelakantan": "'peo list schedules annealedGradientNoise'",
            "onecyclelr": "'peo list schedules oneCycle'",
        ],
        .controllers: ["learned": "'peo list perturbations learned': a term that learns its own strength"],
        .guards: [
            "agc": "'peo list guards clipAdaptive'", "spikeguard": "'peo list guards rollbackOnSpike'",
        ],
        .noise: [
            "film": "'peo list noise conditioned'", "dropout": "the 'dropout' of models: 'peo list models'",
        ],
    ]

    /// What to look at instead; nil where the name leads nowhere.
    static func lead(_ name: String, in family: CatalogueFamily) -> String? {
        let plain = name.lowercased().filter { $0.isLetter || $0.isNumber }
        if let words = known[family]?[plain] { return words }
        for other in CatalogueFamily.allCases where other != family {
            if let entry = other.entries.first(where: { $0.name.lowercased() == plain }) {
                return "'peo list \(other.rawValue) \(entry.name)'"
            }
        }
        return nil
    }
}
