import CPerturbationKernels

/// Perturbation-aware RMSProp: the variance that the noise is known to have does not shrink the step.
///
/// ```
/// v ← αv + (1 − α)(ĝ² − s)                v̂ = max(v, floor, φ·s̄)
/// u = ĝ/(√v̂ + ε)                          with momentum μ: b ← μb + u, u = b
/// θ ← θ − ηu
/// ```
///
/// s, s̄ and the floors are as in `AdamPE`. As in RMSProp nothing is corrected for the averages' start from zero.
/// There is no centred form: its difference would take off the noise's variance twice.
///
/// Source: as `AdamPE`, on Tieleman and Hinton 2012, Lecture 6.5.
public struct RMSPE: KernelRule {
    /// η.
    public var learningRate: Scheduled
    /// α, the average's memory.
    public var alpha: Scheduled
    /// ε, in gradient units.
    public var epsilon: Scheduled
    /// λ, coupled (L2 regularisation).
    public var weightDecay: Scheduled
    /// μ.
    public var momentum: Scheduled
    /// The least v̂, in gradient units², ≥ 0.
    public var floor: Scheduled
    /// φ, the least v̂ in units of the noise's variance, ≥ 0.
    public var noiseFloor: Scheduled

    public init(
        learningRate: Scheduled = 0.01, alpha: Scheduled = 0.99, epsilon: Scheduled = 1e-8,
        weightDecay: Scheduled = 0, momentum: Scheduled = 0, floor: Scheduled = 0,
        noiseFloor: Scheduled = 0.1
    ) {
        self.learningRate = learningRate
        self.alpha = alpha
        self.epsilon = epsilon
        self.weightDecay = weightDecay
        self.momentum = momentum
        self.floor = floor
        self.noiseFloor = noiseFloor
    }

    public var stateNames: [String] {
        ["square_avg"] + (momentum.constant != 0 ? ["momentum_buffer"] : [])
    }
    public var requirements: RuleRequirements { .noiseVariance }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&learningRate)
        try body(&alpha)
        try body(&epsilon)
        try body(&weightDecay)
        try body(&momentum)
        try body(&floor)
        try body(&noiseFloor)
    }

    public func validate() throws {
        try RuleChecks.rate(learningRate)
        try RuleChecks.average("alpha", alpha)
        try RuleChecks.epsilon(epsilon)
        try RuleChecks.decay(weightDecay)
        try RuleChecks.average("momentum", momentum)
        try RuleChecks.notNegative("floor", floor)
        try RuleChecks.notNegative("noiseFloor", noiseFloor)
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "rmsPE", summary: "RMSProp whose second moment leaves out the known variance of the noise.",
        equation: "v ← αv + (1−α)(ĝ² − s); v̂ = max(v, floor, φs̄); θ ← θ − η·ĝ/(√v̂ + ε); "
            + CatalogueEntry.knownNoise,
        parameters: [
            .learningRate(default: "0.01"), .average("alpha", default: "0.99", "α"), .epsilon("1e-8"),
            .weightDecay("λ, added to the gradient as λθ"), .average("momentum", default: "0", "μ"),
        ] + CatalogueEntry.Parameter.floors,
        source: "Tang, Shpilevskiy and Lécuyer 2024, DP-AdamBC, on Tieleman and Hinton 2012, Lecture 6.5")

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            learningRate: try container.decode(.learningRate, default: 0.01),
            alpha: try container.decode(.alpha, default: 0.99),
            epsilon: try container.decode(.epsilon, default: 1e-8),
            weightDecay: try container.decode(.weightDecay, default: 0),
            momentum: try container.decode(.momentum, default: 0),
            floor: try container.decode(.floor, default: 0),
            noiseFloor: try container.decode(.noiseFloor, default: 0.1))
    }

    /// s̄.
    public var initialMemory: SIMD4<Double>? { .zero }

    public func remember(_ memory: inout SIMD4<Double>, of tensor: TensorUpdate) {
        memory[0] = known(tensor.noiseVariance, at: tensor.time).average(after: memory[0])
    }

    private func known(_ variance: ElementVariance, at time: RuleTime) -> KnownNoise {
        KnownNoise(variance, beta: alpha.value(at: time.step))
    }

    func apply(
        _ block: borrowing pk_block, _ kernels: UnsafePointer<pk_kernels>, with numbers: RuleNumbers
    ) {
        let step = numbers.step
        let known = known(numbers.noiseVariance, at: numbers.time)
        let least = max(
            floor.value(at: step), noiseFloor.value(at: step) * known.average(after: numbers.memory[0]))
        var rule = pk_rms_pe(
            rate: learningRate.value(at: step), penalty: weightDecay.value(at: step), decay: 0,
            epsilon: epsilon.value(at: step), momentum: momentum.value(at: step),
            noise: known.kernel(floor: least))
        withUnsafePointer(to: copy block) { kernels.pointee.rms_pe($0, &rule) }
    }
}
