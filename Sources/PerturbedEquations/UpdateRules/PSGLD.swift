import CPerturbationKernels

/// SGLD preconditioned by RMSProp's average: larger steps, with more noise, where gradients are small.
///
/// ```
/// v ← αv + (1 − α)ĝ²                      G = 1/(√v + ε)
/// θ ← θ − ηN·G(ĝ + λθ) + √(2ηTG)·ξ        ξ ~ N(0, 1); v of ĝ + λθ too
/// ```
///
/// (The paper's step is 2η, its λ our ε.) The term Γ = ΣⱼdGᵢⱼ/dθⱼ of the paper's equation is left out, as in its
/// experiments: it needs second derivatives and is of order 1 − α. What it would correct is a bias towards
/// where G is large, which vanishes as α → 1; the bias of a constant η is SGLD's with h·G for h. v starts at 0
/// and is not corrected, as in the paper, so that the first steps are √(1/(1−α)) times too long.
///
/// Source: Li, Chen, Carlson and Carin 2016, Preconditioned Stochastic Gradient Langevin Dynamics for Deep Neural
/// Networks.
public struct PSGLD: Sampler {
    /// η, in θ·gradient units per nat: G has the units of 1/g.
    public var learningRate: Scheduled
    /// α, the average's memory.
    public var alpha: Scheduled
    /// ε, > 0, in gradient units: bounds G by 1/ε.
    public var epsilon: Scheduled
    /// T, ≥ 0.
    public var temperature: Scheduled
    /// N, > 0: how many mean losses make U.
    public var dataSize: Double
    /// λ: a Gaussian prior of precision Nλ.
    public var weightDecay: Scheduled

    public init(
        learningRate: Scheduled, alpha: Scheduled = 0.99, epsilon: Scheduled = 1e-5,
        temperature: Scheduled = 1, dataSize: Double = 1, weightDecay: Scheduled = 0
    ) {
        self.learningRate = learningRate
        self.alpha = alpha
        self.epsilon = epsilon
        self.temperature = temperature
        self.dataSize = dataSize
        self.weightDecay = weightDecay
    }

    public var stateNames: [String] { ["square_avg"] }
    public var secondMomentName: String? { "square_avg" }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&learningRate)
        try body(&alpha)
        try body(&epsilon)
        try body(&temperature)
        try body(&weightDecay)
    }

    public func validate() throws {
        try checkSampler()
        try RuleChecks.average("alpha", alpha)
        try epsilon.require(
            "epsilon", in: Double.leastNonzeroMagnitude...Double.greatestFiniteMagnitude,
            allowed: "a finite number > 0")
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "psgld", summary: "SGLD preconditioned by RMSProp's average; Γ is left out.",
        equation: "v ← αv + (1−α)ĝ²; G = 1/(√v + ε); θ ← θ − ηN·Gĝ + √(2ηTG)·ξ, ξ ~ N(0, 1)",
        parameters: [
            .init("learningRate", "schedule", allowed: "≥ 0", unit: "θ·gradient units per nat of U", "η"),
            .average("alpha", default: "0.99", "α"),
            .init("epsilon", "schedule", default: "1e-5", allowed: "> 0", unit: "gradient units", "ε"),
        ] + CatalogueEntry.Parameter.samplers.dropFirst(),
        source: "Li, Chen, Carlson and Carin 2016, Preconditioned Stochastic Gradient Langevin Dynamics for "
            + "Deep Neural Networks")

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            learningRate: try container.decode(Scheduled.self, forKey: .learningRate),
            alpha: try container.decode(.alpha, default: 0.99),
            epsilon: try container.decode(.epsilon, default: 1e-5),
            temperature: try container.decode(.temperature, default: 1),
            dataSize: try container.decode(.dataSize, default: 1),
            weightDecay: try container.decode(.weightDecay, default: 0))
    }

    func apply(
        _ block: borrowing pk_block, _ kernels: UnsafePointer<pk_kernels>, with numbers: RuleNumbers
    ) {
        let step = numbers.step
        let rate = learningRate.value(at: step)
        var rule = pk_psgld(
            rate: rate * dataSize, penalty: weightDecay.value(at: step), decay: 0,
            alpha: alpha.value(at: step), epsilon: epsilon.value(at: step),
            strength: (2 * rate * temperature.value(at: step)).squareRoot())
        withUnsafePointer(to: copy block) { kernels.pointee.psgld($0, &rule) }
    }
}
