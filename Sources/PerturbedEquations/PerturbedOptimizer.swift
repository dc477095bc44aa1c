/// Takes perturbed steps: θ ← θ − η·D(clip(g) + δ).
///
/// The optimizer owns the rule's state and the stability controller's memory; θ and g stay where they are
/// and are lent for the duration of a step. It is used from one thread at a time and spreads each step over
/// its engine's threads.
///
/// ```swift
/// var theta: [Float] = [1, 1]
/// let optimizer = try PerturbedOptimizer(
///     parameters: [ParameterSpec("theta", shape: [2])],
///     equation: PerturbedEquation(rule: SGD(learningRate: 0.1), perturbation: Gaussian(sigma: 0.01)),
///     seed: 1)
/// for _ in 0..<100 {
///     let gradient = theta                      // of ½‖θ‖²
///     try optimizer.step(&theta, gradient: gradient)
/// }
/// ```
///
/// Memory: the rule's state, one block per thread, and O(blocks) numbers where norms are needed; a gradient
/// perturbation adds nothing that grows with the parameters.
public final class PerturbedOptimizer {
    /// The parameters, in order; a parameter's place is part of its noise's address.
    public let parameters: [ParameterSpec]
    /// The equation, with lengths of schedules filled in.
    public let equation: PerturbedEquation
    /// Where the arithmetic runs; a change of its block size has no effect any more.
    public var engine: Engine
    /// What the stability controller did so far.
    public internal(set) var counts = StabilityCounts()
    /// How often objectives were evaluated so far; a step on given gradients counts as one.
    public internal(set) var evaluations = EvaluationCounts()
    /// Whether measured steps report the effective perturbation too. It takes the rule twice more.
    public var reportsEffectivePerturbation = false
    /// What a snapshot keeps beside θ and the state, and a rollback brings back. Set it before the first step and
    /// before a state is loaded.
    public var companions: [CompanionTensor] = []
    /// The next logical step: the time of schedules and the address of noise.
    public internal(set) var step = 0

    let groups: [ResolvedGroup]
    let groupOf: [Int]
    let blocks: [Block]
    let blockSize: Int
    let elements: Int
    /// The largest tensor's number of elements.
    let largestCount: Int
    /// Some block of each group; nil for one without elements.
    let firstBlocks: [Block?]
    /// What selects the noise.
    public let seed: UInt64
    let key: NoiseKey
    /// Updates of each parameter so far: the time of its bias corrections. A parameter that had no gradient
    /// in some step (a frozen layer) has fewer.
    var updates: [Int]
    var memory = SpikeGuard.Memory()
    var controllerStates: [ControllerState]
    /// What `noteSmallBatch` noted for the next step.
    var smallBatch: Observation.SmallBatch?
    let state: [StateMemory]
    /// The rules' numbers per parameter; empty where no rule keeps any.
    var ruleMemory: [SIMD4<Double>]
    let ruleSums: RuleSums
    /// What the terms keep.
    let termLayout: TermLayout
    var termMemory: [SIMD4<Double>]
    let termTensors: [StateMemory?]
    let mayNeedSignals: Bool
    /// Whether the tensors that terms keep are filled.
    var termsAreInitialised: Bool
    var snapshot: Snapshot?
    var scratch: [ThreadScratch] = []
    /// Stage 1; nil where θ is not perturbed.
    let parameterPerturbation: (any ParameterPerturbation)?
    /// Per parameter: the copy of θ, and the temporary tensors of stage 1; empty until needed.
    var copyMemory: [StateMemory] = []
    var temporaryMemory: [StateMemory] = []
    /// What stage 1 keeps between steps: tensors per parameter, and numbers.
    let objectiveState: [StateMemory]
    var objectiveMemory: [Double]

    /// - Parameters:
    ///   - parameters: names, shapes and scalar types; the names must differ.
    ///   - equation: what to do; see `PerturbedEquation`.
    ///   - groups: parameters with their own rule or perturbation.
    ///   - seed: selects the noise.
    ///   - horizon: the length of the run in steps, for schedules that leave it out.
    ///   - stepsPerEpoch: the length of an epoch, for schedules that count in epochs; needs `horizon`.
    ///   - engine: where the arithmetic runs.
    /// - Throws: `ConfigurationError` for a setting outside its range, a schedule without a length, a group
    ///   that matches no parameter, two parameters of one name, or a controller that steers nothing.
    public init(
        parameters: [ParameterSpec], equation: PerturbedEquation, groups: [ParameterGroup] = [], seed: UInt64,
        horizon: Int? = nil, stepsPerEpoch: Int? = nil, engine: Engine = Engine()
    ) throws {
        try equation.validate()
        var names = Set<String>()
        for spec in parameters {
            try require(
                names.insert(spec.name).inserted, "parameters", is: "\"\(spec.name)\" twice",
                allowed: "different names")
            try require(
                spec.shape.allSatisfy { $0 >= 0 }, "parameters",
                is: "\"\(spec.name)\" of shape \(spec.shape)",
                allowed: "extents ≥ 0")
        }
        let run = horizon.map { RunLength(steps: $0, stepsPerEpoch: stepsPerEpoch) }
        let resolved = run.map { equation.resolved(for: $0) } ?? equation
        try resolved.requireLengths()
        // Once more: a schedule's later values are known only now.
        try resolved.validate()
        self.parameters = parameters
        self.equation = resolved
        self.engine = engine
        updates = [Int](repeating: 0, count: parameters.count)
        controllerStates = resolved.controllers.map { ControllerState(type(of: $0).catalogueEntry.name) }
        self.seed = seed
        key = Self.noiseKey(seed: seed)
        (self.groups, groupOf) = try Self.resolve(groups, of: resolved, for: parameters, run: run)
        blocks = Block.table(of: parameters.map(\.count), size: engine.blockSize)
        blockSize = engine.blockSize
        elements = parameters.reduce(0) { $0 + $1.count }
        let rules = groupOf.map { [rules = self.groups.map(\.rule)] in rules[$0] }
        let sampling = try Self.sampling(for: rules)
        if let explicit = resolved.parameterPerturbation, let sampling {
            throw ConfigurationError(
                "is \(type(of: explicit).catalogueEntry.name), and the rule \(sampling.rule) samples the weights itself; "
                    + "allowed with it: none", path: "parameterPerturbation")
        }
        parameterPerturbation = resolved.parameterPerturbation ?? sampling?.perturbation
        try Self.requireSteering(resolved.controllers, self.groups, parameterPerturbation)
        if let parameterPerturbation {
            try within("parameterPerturbation.\(type(of: parameterPerturbation).catalogueEntry.name)") {
                try parameterPerturbation.validate(for: parameters)
            }
        }
        let stored = parameterPerturbation?.storedNames.count ?? 0
        objectiveState = parameters.map {
            StateMemory(tensors: stored, bytes: $0.count * $0.scalar.arithmetic.size)
        }
        objectiveMemory = parameterPerturbation?.initialMemory ?? []
        largestCount = parameters.map(\.count).max() ?? 0
        firstBlocks = self.groups.indices.map { [groupOf, blocks] group in
            blocks.first { groupOf[$0.parameter] == group }
        }
        let stateCounts = self.groups.map { $0.rule.stateNames.count }
        state = zip(parameters, groupOf).map { spec, group in
            StateMemory(tensors: stateCounts[group], bytes: spec.count * spec.scalar.arithmetic.size)
        }
        termLayout = TermLayout(self.groups)
        termMemory = termLayout.initialMemory(self.groups, groupOf)
        termTensors = termLayout.tensors(self.groups, groupOf, parameters)
        termsAreInitialised = termTensors.isEmpty
        mayNeedSignals = self.groups.contains { group in
            group.terms.contains { !$0.perturbation.requirements(at: 0).signals.isEmpty }
        }
        let memories = self.groups.map { $0.rule.initialMemory }
        ruleMemory = memories.allSatisfy { $0 == nil } ? [] : groupOf.map { memories[$0] ?? .zero }
        ruleSums = RuleSums(count: self.groups.contains { $0.needs.contains(.sums) } ? blocks.count : 0)
    }

    /// The weight sampling that a rule brings, and the rule's name; nil where none does.
    private static func sampling(
        for rules: [any UpdateRule]
    ) throws -> (perturbation: any ParameterPerturbation, rule: String)? {
        let ivon = try PosteriorSampling(rules: rules)
        let bsam = try RelaxedSharpness(rules: rules)
        if ivon != nil, bsam != nil {
            throw ConfigurationError(
                "are ivon and bsam, which evaluate the objective each elsewhere; allowed: one of them",
                path: "groups")
        }
        return ivon.map { ($0, "ivon") } ?? bsam.map { ($0, "bsam") }
    }

    /// Whether a step needs an objective instead of gradients: with a parameter perturbation, or a rule that samples
    /// the weights.
    public var needsObjective: Bool { parameterPerturbation != nil }

    /// Whether steps run the finite check alone before they update, and are so spared a read of each gradient whose
    /// `ParameterBuffer.largestGradient` is known. Guards and terms that take norms read all gradients in any case.
    public var gainsFromLargestGradient: Bool {
        let stability = equation.stability
        return stability.skipNonFinite && stability.clipNorm == nil && stability.clipGlobalNorm == nil
            && stability.clipAdaptive == nil && parameterPerturbation == nil
    }

    /// The key of all noise in the steps of a run with that seed.
    public static func noiseKey(seed: UInt64) -> NoiseKey {
        NoiseKey(seed: seed).derived("perturbation")
    }

    /// Takes one logical step from given gradients.
    ///
    /// - Parameters:
    ///   - buffers: the memory of each parameter, in the order of `parameters`.
    ///   - loss: L(θ) before the step, for `stability.rollbackOnSpike`; nil leaves that guard out.
    ///   - measure: whether to report ‖g‖ and ‖δ‖ even where the step does not need them.
    /// - Returns: what was done. A skipped or rolled-back step also counts as a step.
    /// - Throws: `DivergenceError` when the spike guard gives up, with the last good state restored;
    ///   `ConfigurationError` where the equation perturbs the parameters: that needs `step(_:objective:)`;
    ///   `MissingSignalError` when a term needs a signal that `buffers` lack. Nothing is touched by either.
    @discardableResult
    public func step(
        _ buffers: [ParameterBuffer], loss: Double? = nil, measure: Bool = false
    ) throws -> StepReport {
        if let parameterPerturbation {
            throw ConfigurationError(
                "is \(type(of: parameterPerturbation).catalogueEntry.name), which evaluates the objective at other "
                    + "parameters; allowed with given gradients: none. Call step(_:objective:) instead",
                path: "parameterPerturbation")
        }
        return try apply(
            buffers, loss: loss, measure: measure, ObjectiveGradient(loss: loss ?? .nan),
            EvaluationCounts(gradients: 1))
    }

    /// The stages of a step from the finite check on.
    ///
    /// - Parameter gradient: where g is; nil: an evaluation was not finite, and the step is skipped.
    func apply(
        _ buffers: [ParameterBuffer], loss: Double?, measure: Bool, _ gradient: ObjectiveGradient?,
        _ evaluated: EvaluationCounts
    ) throws -> StepReport {
        precondition(
            buffers.count == parameters.count, "one buffer for each of \(parameters.count) parameters")
        for (buffer, spec) in zip(buffers, parameters) {
            let scalar = buffer.gradientScalar ?? spec.scalar
            precondition(
                scalar.arithmetic == spec.scalar.arithmetic,
                "\"\(spec.name)\" of type \(spec.scalar) has a gradient of type \(scalar); allowed: "
                    + (spec.scalar == .float64 ? "float64" : "float32, bfloat16"))
        }
        var drawsGradient = false
        if case .noise = gradient?.place { drawsGradient = true }
        try requireSignals(in: buffers, withoutGradients: drawsGradient)
        try requireSmallBatch()
        initialiseTerms(buffers)
        let rateFactor = controlFactor(.learningRate)
        var report = StepReport(
            step: step, learningRate: groups[0].rule.learningRate.value(at: step) * rateFactor)
        report.learningRateFactor = rateFactor
        report.strengthFactor = strengthScale
        report.evaluations = evaluated
        report.loss = loss
        defer {
            step += 1
            counts.steps += 1
            smallBatch = nil
            evaluations += evaluated
        }
        if let loss, let guarding = equation.stability.rollbackOnSpike {
            if guarding.isSpike(loss, after: memory) {
                try rollBack(guarding, loss: loss, buffers)
                report.outcome = .rolledBack
                return report
            }
            guarding.accept(loss, into: &memory)
            takeSnapshotIfDue(guarding, buffers)
        }
        guard let gradient else {
            report.outcome = .skippedNonFinite
            counts.skipped += 1
            return report
        }
        var pass = StepPass(self, buffers, gradient, measure: measure)
        pass.run(&report)
        switch report.outcome {
        case .applied:
            for index in buffers.indices where pass.hasGradient(index) { updates[index] += 1 }
            observe(report, pass)
        case .skippedNonFinite: counts.skipped += 1
        case .rolledBack: break
        }
        return report
    }
}
