import PerturbedEquations

extension PerturbedEquation {
    /// The equation for a posterior of N examples: the rule is told N, and the cycle scales its step and its temperature.
    ///
    /// Guards are refused but for the finite check, which skips steps that could not be taken at all: a guard that binds makes
    /// a chain sample another density, and says nothing. So are controllers: what follows the path that a chain has taken is no
    /// transition of a Markov chain, and has another density or none.
    ///
    /// - Throws: `ConfigurationError` where the rule does not sample, has settings that the posterior decides, where θ is
    ///   perturbed, or steps are guarded or controlled.
    public func sampling(_ scale: MinibatchScale, cycle: SamplingCycle? = nil) throws -> PerturbedEquation {
        let name = type(of: rule).catalogueEntry.name
        guard var sampler = rule as? any PosteriorRule else {
            let names = Catalogue.builtIn.rules.filter { $0 is any PosteriorRule.Type }
                .map { $0.catalogueEntry.name }
            throw ConfigurationError(
                "is \(name), which goes to a mode and does not sample; allowed: \(names.joined(separator: ", "))",
                path: "rule")
        }
        try require(
            sampler.dataSize == 1, "rule.\(name).dataSize", is: sampler.dataSize,
            allowed: "left out: the posterior has \(scale.examples) examples, and says so itself")
        try require(
            sampler.weightDecay.constant == 0, "rule.\(name).weightDecay",
            is: sampler.weightDecay.constant.map { "\($0)" } ?? "a schedule",
            allowed: "left out: a Gaussian prior is said by the prior")
        if let parameterPerturbation {
            throw ConfigurationError(
                "is \(type(of: parameterPerturbation).catalogueEntry.name), under which the chain would sample another "
                    + "density; allowed: none", path: "parameterPerturbation")
        }
        if let guarding = stability.guardsThatBind.first {
            throw ConfigurationError(
                "is set, and where it binds the chain samples another density; allowed with the rule \(name): left out, or "
                    + "skipNonFinite", path: "stability.\(guarding)")
        }
        if let controller = controllers.first {
            throw ConfigurationError(
                "has \(type(of: controller).catalogueEntry.name), which follows the chain's own path, so that the chain samples "
                    + "another density; allowed with the rule \(name): none", path: "controllers")
        }
        sampler.dataSize = Double(scale.examples)
        if let cycle {
            try cycle.validate()
            sampler.learningRate =
                sampler.learningRate
                * Scheduled(CosineRestartsSchedule(from: 1, to: 0, period: .steps(cycle.length)))
            sampler.temperature = sampler.temperature * Scheduled(CyclePhaseSchedule(cycle))
        }
        var result = self
        result.rule = sampler
        return result
    }
}

extension Stability {
    /// The names of the guards that are set and change what a step does, beyond leaving out one that could not be taken.
    fileprivate var guardsThatBind: [String] {
        let guards: [(name: String, isSet: Bool)] = [
            ("clipValue", clipValue != nil), ("clipNorm", clipNorm != nil),
            ("clipGlobalNorm", clipGlobalNorm != nil), ("clipAdaptive", clipAdaptive != nil),
            ("perturbationToGradient", perturbationToGradient != nil),
            ("varianceBound", varianceBound != nil), ("sigmaMax", sigmaMax != nil),
            ("trustRegion", trustRegion != nil), ("rollbackOnSpike", rollbackOnSpike != nil),
        ]
        return guards.filter(\.isSet).map(\.name)
    }
}
