/// The whole equation: a rule, perturbations, a stability controller and closed loops.
///
/// ```
/// θ(t+1) = θ(t) − η(t)·D(clip(g(t)) + δ(t)),   g = ∇L(θ + ε),   δ = Σₖ Pₖ
/// ```
///
/// ```swift
/// let equation = PerturbedEquation(
///     rule: Adam(learningRate: 1e-3),
///     perturbation: Gaussian(sigma: 0.01), WeightPenalty(l2: 1e-4),
///     stability: Stability(clipGlobalNorm: 1))
/// ```
/// ```yaml
/// rule: {adam: {learningRate: 0.001}}
/// perturbation:
///   - gaussian: {sigma: 0.01}
///   - weightPenalty: {l2: 1e-4}
/// stability: {clipGlobalNorm: 1}
/// controllers: [{targetNoiseRatio: {target: 0.1}}]
/// rounding: stochastic               # of bfloat16 parameters (training.weights: bfloat16); or nearest
/// ```
public struct PerturbedEquation: Sendable {
    public var rule: any UpdateRule
    /// Where the objective is evaluated; nil: at θ.
    public var parameterPerturbation: (any ParameterPerturbation)?
    /// The terms of δ. Their places in the list are part of their noise's address.
    public var perturbation: [any Perturbation]
    public var stability: Stability
    /// Closed loops on the strengths and the learning rate; common to all groups.
    public var controllers: [any Controller]
    /// How θ is rounded where it is stored as bfloat16: stochastic unless told.
    public var rounding: Rounding

    public init(
        rule: any UpdateRule, parameterPerturbation: (any ParameterPerturbation)? = nil,
        perturbation: [any Perturbation] = [], stability: Stability = Stability(),
        controllers: [any Controller] = [], rounding: Rounding = .stochastic
    ) {
        self.rule = rule
        self.parameterPerturbation = parameterPerturbation
        self.perturbation = perturbation
        self.stability = stability
        self.controllers = controllers
        self.rounding = rounding
    }

    public init(
        rule: any UpdateRule, parameterPerturbation: (any ParameterPerturbation)? = nil,
        perturbation: any Perturbation..., stability: Stability = Stability(),
        controllers: [any Controller] = [], rounding: Rounding = .stochastic
    ) {
        self.init(
            rule: rule, parameterPerturbation: parameterPerturbation, perturbation: perturbation,
            stability: stability, controllers: controllers, rounding: rounding)
    }

    /// Refuses settings outside their range, naming the setting.
    public func validate() throws {
        try within("rule.\(type(of: rule).catalogueEntry.name)") { try rule.validate() }
        if let parameterPerturbation {
            try within("parameterPerturbation.\(type(of: parameterPerturbation).catalogueEntry.name)") {
                try parameterPerturbation.validate()
            }
        }
        let leaves = LeafTerm.all(of: perturbation)
        try require(
            leaves.count <= NoiseStream.roundingTerm, "perturbation", is: "\(leaves.count) terms",
            allowed: "at most \(NoiseStream.roundingTerm) terms, as many as noise has addresses for")
        for (index, term) in perturbation.enumerated() {
            try within("perturbation.\(index).\(type(of: term).catalogueEntry.name)") { try term.validate() }
        }
        try within("stability") { try stability.validate() }
        for (index, controller) in controllers.enumerated() {
            try within("controllers.\(index).\(type(of: controller).catalogueEntry.name)") {
                try controller.validate()
            }
        }
        try requireTogether(with: stability)
    }

    /// Refuses terms that the rule or the stability controller does not go with.
    func requireTogether(with stability: Stability) throws {
        let name = type(of: rule).catalogueEntry.name
        for (index, leaf) in LeafTerm.all(of: perturbation).enumerated() {
            let path = "perturbation.\(leaf.path)"
            if rule.requirements.contains(.noiseVariance),
                leaf.perturbation.variance(at: .unmeasured(term: index)) == nil
            {
                throw ConfigurationError(
                    "does not declare the variance of its noise, which the rule \(name) takes off; allowed: "
                        + "terms with `variance(at:)`", path: path)
            }
            let needs = leaf.perturbation.requirements(at: 0)
            if needs.contains(.secondMoment), rule.secondMomentName == nil {
                throw ConfigurationError(
                    "needs the rule's second moment, and the rule \(name) keeps none; allowed: rules that keep "
                        + "an average of ĝ², such as adam", path: path)
            }
            if let signal = needs.signals.first(where: \.needsMicroBatches),
                let clip = stability.clipValue != nil
                    ? "clipValue" : stability.clipAdaptive != nil ? "clipAdaptive" : nil
            {
                throw ConfigurationError(
                    "is set, and perturbation.\(leaf.path) needs the signal \(signal.rawValue), which can only be "
                        + "scaled as a whole; allowed: clipNorm, clipGlobalNorm", path: "stability.\(clip)")
            }
        }
    }

    /// The same equation with every length that was left out of a schedule set to the run's, and those in epochs said
    /// in steps.
    public func resolved(for run: RunLength) -> PerturbedEquation {
        var result = self
        result.forEachSchedule { $0 = $0.resolved(for: run) }
        return result
    }

    public func resolved(horizon: Int) -> PerturbedEquation { resolved(for: RunLength(steps: horizon)) }

    mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try rule.forEachSchedule(body)
        try parameterPerturbation?.forEachSchedule(body)
        for index in perturbation.indices { try perturbation[index].forEachSchedule(body) }
        try stability.forEachSchedule(body)
        for index in controllers.indices { try controllers[index].forEachSchedule(body) }
    }

    /// Refuses schedules whose length was left out where none can be filled in.
    func requireLengths() throws {
        var copy = self
        try copy.forEachSchedule { schedule in
            if schedule.needsHorizon {
                throw ConfigurationError(
                    "a \(type(of: schedule.base).catalogueEntry.name) schedule needs `steps`, or the "
                        + "optimizer a `horizon`: the length of the run; lengths in epochs need `stepsPerEpoch`",
                    path: placeOfMissingLength)
            }
        }
    }
}

extension PerturbedEquation: Codable {
    private enum CodingKeys: String, CodingKey {
        case rule, parameterPerturbation, perturbation, stability, controllers, rounding
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        rule = try container.decode(NamedRule.self, forKey: .rule).rule
        parameterPerturbation = try container.decodeIfPresent(
            NamedParameterPerturbation.self, forKey: .parameterPerturbation)?.perturbation
        perturbation = try container.decode(.perturbation, default: NamedPerturbations([])).terms
        stability = try container.decode(.stability, default: Stability())
        controllers = try container.decode(.controllers, default: [NamedController]()).map(\.controller)
        rounding = try container.decode(.rounding, default: .stochastic)
        try within("stability") { try stability.validate() }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(NamedRule(rule), forKey: .rule)
        try container.encodeIfPresent(
            parameterPerturbation.map(NamedParameterPerturbation.init), forKey: .parameterPerturbation)
        try container.encode(NamedPerturbations(perturbation), forKey: .perturbation)
        try container.encode(stability, forKey: .stability)
        if !controllers.isEmpty {
            try container.encode(controllers.map(NamedController.init), forKey: .controllers)
        }
        try container.encode(rounding, forKey: .rounding)
    }
}
