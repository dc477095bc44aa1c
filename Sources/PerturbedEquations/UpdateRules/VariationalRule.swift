/// A rule that learns a normal distribution over the weights, q = N(θ, diag(s²)), instead of a point: `ivon`, `bsam`.
///
/// It has a Gaussian prior in its own equation, as δ, and takes λ mean losses for −log p(data|θ).
public protocol VariationalRule: UpdateRule {
    /// λ, the number of examples; nil where nobody has said it, with which no optimizer is built.
    var effectiveSampleSize: Scheduled? { get set }
    /// δ, the precision of the prior over λ.
    var weightDecay: Scheduled { get set }
    /// What δ is unless told.
    static var standardWeightDecay: Double { get }
    /// The state tensor that s comes from, and its elements before the first update: s = 1/√(λ(state + a)).
    var precisionState: (name: String, initial: Double) { get }
    /// a of a step.
    func addedPrecision(at step: Int) -> Double
}

extension VariationalRule {
    /// λ where an optimizer has been built, which refuses rules without it.
    func size(at step: Int) -> Double {
        guard let effectiveSampleSize else { preconditionFailure("a variational rule without λ was built") }
        return effectiveSampleSize.value(at: step)
    }

    mutating func visitSize(_ body: (inout Scheduled) throws -> Void) rethrows {
        guard var size = effectiveSampleSize else { return }
        try body(&size)
        effectiveSampleSize = size
    }

    /// Checks λ, where it is said, and δ.
    func checkPosterior() throws {
        if let effectiveSampleSize {
            try ObjectiveChecks.positive("effectiveSampleSize", effectiveSampleSize)
        }
        try ObjectiveChecks.positive("weightDecay", weightDecay)
    }

    /// Refuses a rule that has not been told λ.
    func requireSize() throws {
        guard effectiveSampleSize == nil else { return }
        throw ConfigurationError(
            "is missing; allowed: a number > 0, the number of training examples (peo sample knows it)",
            path: "rule.\(Self.catalogueEntry.name).effectiveSampleSize")
    }
}

extension CatalogueEntry.Parameter {
    static let effectiveSampleSize = Self(
        "effectiveSampleSize", "schedule", default: "the posterior's", allowed: "> 0", unit: "examples",
        "λ: the number of training examples; must be given where no posterior is sampled")

    static func priorPrecision(default value: String) -> Self {
        .init(
            "weightDecay", "schedule", default: value, allowed: "> 0", unit: "loss per θ²",
            "δ, the prior's precision over λ")
    }
}

extension PerturbedOptimizer {
    /// s of every weight, parameter by parameter, as the steps so far have learnt it; nil where a parameter's rule is no
    /// ``VariationalRule``.
    public var posteriorDeviations: [[Double]]? {
        var found: [[Double]] = []
        for (place, spec) in parameters.enumerated() {
            guard let rule = groups[groupOf[place]].rule as? any VariationalRule else { return nil }
            let (name, initial) = rule.precisionState
            let memory = state[place].tensors[rule.stateNames.firstIndex(of: name)!]
            let (size, added) = (rule.size(at: step), rule.addedPrecision(at: step))
            func deviations<S: BinaryFloatingPoint>(_ type: S.Type) -> [Double] {
                memory.bindMemory(to: type).map {
                    1 / (size * ((updates[place] == 0 ? initial : Double($0)) + added)).squareRoot()
                }
            }
            found.append(
                spec.scalar.arithmetic == .float64 ? deviations(Double.self) : deviations(Float.self))
        }
        return found
    }
}
