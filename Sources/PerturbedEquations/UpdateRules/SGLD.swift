import CPerturbationKernels

/// Stochastic gradient Langevin dynamics: samples from the posterior ∝ exp(−U/T).
///
/// θ ← θ − ηN(ĝ + λθ) + √(2ηT)·ξ, ξ ~ N(0, 1); ∇U = N(g + λθ), g of the mean loss.
///
/// (The paper's ε is 2η.) A constant η leaves a bias of first order: on U = ½hθ² the variance is
/// T/(h(1 − ηh/2)) instead of T/h. Minibatch noise of variance σ² in g, and a perturbation's, add ηN²σ²/(2h).
/// It is SGD with rate ηN and Gaussian noise of σ = √(2T/η)/N.
///
/// ```swift
/// let rule = SGLD(learningRate: 1e-6, dataSize: 60_000, weightDecay: 1e-5)
/// ```
///
/// Source: Welling and Teh 2011, Bayesian Learning via Stochastic Gradient Langevin Dynamics.
public struct SGLD: Sampler {
    /// η, in θ² per nat.
    public var learningRate: Scheduled
    /// T, ≥ 0.
    public var temperature: Scheduled
    /// N, > 0: how many mean losses make U.
    public var dataSize: Double
    /// λ: a Gaussian prior of precision Nλ.
    public var weightDecay: Scheduled

    public init(
        learningRate: Scheduled, temperature: Scheduled = 1, dataSize: Double = 1, weightDecay: Scheduled = 0
    ) {
        self.learningRate = learningRate
        self.temperature = temperature
        self.dataSize = dataSize
        self.weightDecay = weightDecay
    }

    public var stateNames: [String] { [] }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&learningRate)
        try body(&temperature)
        try body(&weightDecay)
    }

    public func validate() throws { try checkSampler() }

    public static let catalogueEntry = CatalogueEntry(
        name: "sgld", summary: "Stochastic gradient Langevin dynamics: samples from the posterior.",
        equation: "θ ← θ − ηN(ĝ + λθ) + √(2ηT)·ξ, ξ ~ N(0, 1)",
        parameters: CatalogueEntry.Parameter.samplers,
        source: "Welling and Teh 2011, Bayesian Learning via Stochastic Gradient Langevin Dynamics (ε = 2η)")

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            learningRate: try container.decode(Scheduled.self, forKey: .learningRate),
            temperature: try container.decode(.temperature, default: 1),
            dataSize: try container.decode(.dataSize, default: 1),
            weightDecay: try container.decode(.weightDecay, default: 0))
    }

    func apply(
        _ block: borrowing pk_block, _ kernels: UnsafePointer<pk_kernels>, with numbers: RuleNumbers
    ) {
        let rate = learningRate.value(at: numbers.step)
        var rule = pk_langevin(
            rate: rate * dataSize, penalty: weightDecay.value(at: numbers.step), decay: 0, friction: 1,
            strength: (2 * rate * temperature.value(at: numbers.step)).squareRoot())
        withUnsafePointer(to: copy block) { kernels.pointee.langevin($0, &rule) }
    }
}
