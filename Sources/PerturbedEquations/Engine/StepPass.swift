import CPerturbationKernels

/// One step over the blocks: gather what must be known first, then update.
///
/// The passes, each over all blocks and each only where something needs it:
///
/// 1. `gather`: is g finite; norms of g and θ; then of the units of g and θ, for the adaptive clip.
/// 2. `sums`: the terms' own sums, such as ⟨ξ, g⟩; twice where a term needs the first to take the second.
/// 3. `bound`: ‖δ‖ of each tensor, for the bounds on it. δ is computed and thrown away; noise is addressed, so
///    that the update computes the same δ again.
/// 4. `overflow`: is g + δ finite; only where it might not be.
/// 5. `trust`: the rule on copies, for ‖Δ‖ of each tensor; then again, where the effect of δ is measured.
/// 6. `update`: δ, ĝ, the rule, θ.
struct StepPass {
    let optimizer: PerturbedOptimizer
    let buffers: [ParameterBuffer]
    /// Where g is: in the buffers, or regenerated from noise.
    let place: ObjectiveGradient.Place
    /// The temporary tensor with a sampling rule's diagonal of the Hessian.
    let curvature: Int?
    let measure: Bool
    let stability: Stability
    let step: Int
    let valueLimit: Double?
    /// The terms that are not zero at this step, per group.
    let terms: [[PerturbedOptimizer.Term]]
    let requirements: Requirements
    let strengthLimit: Double
    let strengthScale: Double
    /// The rule of each group, with the controllers' factor on its learning rate.
    let rules: [any UpdateRule]
    /// Per group: its terms, where the rule makes them itself; see `DrawingRule`.
    let drawn: [[any ElementaryPerturbation]?]
    /// What the controllers want of this step.
    let needs: ControllerNeeds

    /// Per tensor: statistics of the clipped g, of θ, and what norm clipping multiplies g by.
    var gradient: [TensorStatistics]
    var parameter: [TensorStatistics]
    var clip: [Double]
    var overall = TensorStatistics()
    var sums: [[SIMD4<Double>]]
    /// The same of the second round, and of the first over all tensors of each group.
    var moreSums: [[SIMD4<Double>]] = []
    var overallSums: [[SIMD4<Double>]] = []
    /// What the terms keep per tensor, as this step leaves it.
    var termMemory: [SIMD4<Double>]
    /// η of each group; empty unless a term requires it.
    let learningRates: [Double]
    /// What the bounds multiply δ by: all of it, and each tensor's (empty: 1).
    var boundScale = 1.0
    var varianceScale: [Double] = []
    /// The largest |g| of each tensor, clipped by value alone; empty unless norms are gathered.
    var largest: [Double] = []
    /// Whether some element of g is beyond the limit on values.
    var exceedsValueLimit = false
    /// Per tensor, what the adaptive clip multiplies each unit of g by; empty where it multiplies none.
    var unitClip: [[Double]] = []
    /// Per tensor, what the trust region multiplies the update by; empty where there is none.
    var trustScale: [Double] = []
    /// ‖g‖² over all parameters before any clipping; 0 unless norms are gathered.
    var squaresBeforeClipping = 0.0
    /// What the perturbation does to the step; nil unless it is wanted.
    var effect: Observation.Effect?
    /// Per tensor: the variance of ĝ's noise; empty unless a rule needs it.
    var variances: [ElementVariance] = []

    init(
        _ optimizer: PerturbedOptimizer, _ buffers: [ParameterBuffer], _ gradient: ObjectiveGradient,
        measure: Bool
    ) {
        let step = optimizer.step
        self.optimizer = optimizer
        self.buffers = buffers
        place = gradient.place
        curvature = gradient.curvature
        needs = optimizer.controllerNeeds
        self.measure = measure || needs.contains(.norms)
        strengthScale = optimizer.strengthScale
        rules = Self.rules(of: optimizer, at: step)
        self.step = step
        stability = optimizer.equation.stability
        valueLimit = stability.clipValue?.value(at: step)
        strengthLimit = stability.sigmaMax?.value(at: step) ?? .infinity
        let hasLimit = strengthLimit < .infinity
        terms = optimizer.groups.map { $0.activeTerms(at: step, optimizer.key, hasLimit: hasLimit) }
        drawn = zip(rules, terms).map(Self.drawn)
        var requirements = Requirements(terms.joined().map(\.needs))
        // σ_max bounds noise in proportion to g by the size of g.
        if strengthLimit < .infinity, !terms.joined().isEmpty { requirements.insert(.tensorGradient) }
        self.requirements = requirements
        termMemory = optimizer.termMemory
        learningRates =
            requirements.contains(.learningRate)
            ? rules.map { $0.learningRate.value(at: step) } : []
        self.gradient = []
        parameter = []
        clip = []
        sums = []
    }

    var hasNoise: Bool { terms.contains { !$0.isEmpty } }
    /// What δ of a tensor is multiplied by.
    func deltaScale(_ parameter: Int) -> Double {
        varianceScale.isEmpty ? boundScale : boundScale * varianceScale[parameter]
    }

    mutating func run(_ report: inout StepReport) {
        // Steps without guards against NaN are nobody's to hold up.
        let guarded = stability.skipNonFinite
        let ratio = hasNoise ? stability.perturbationToGradient?.value(at: step) : nil
        let variance = hasNoise ? stability.varianceBound?.value(at: step) : nil
        let usesNorms =
            ratio != nil || variance != nil || stability.clipNorm != nil || stability.clipGlobalNorm != nil
            || stability.clipAdaptive != nil
            || !requirements.isDisjoint(with: [.tensorGradient, .overallGradient])
        let needsNorms = measure || usesNorms
        var suspects: [Int] = []
        if needsNorms || requirements.contains(.tensorParameters) {
            // A float64 gradient beyond 10¹⁵⁴ has no norm: nothing could be clipped or scaled by it.
            let isUsable = gatherNorms() && !(usesNorms && gradient.contains { !$0.sumOfSquares.isFinite })
            guard isUsable || !guarded else {
                report.outcome = .skippedNonFinite
                return
            }
            clipNorms(&report)
            if let adaptive = stability.clipAdaptive { clipUnits(adaptive) }
            report.gradientNorm = overall.norm
        } else if guarded {
            guard let found = finiteGradients() else {
                report.outcome = .skippedNonFinite
                return
            }
            (suspects, exceedsValueLimit) = found
        } else if let valueLimit {
            exceedsValueLimit = someGradientExceeds(valueLimit)
        }
        if exceedsValueLimit { optimizer.counts.clippedByValue += 1 }
        // What the pass before read last is still in the cache: each walks the other way.
        var walksBackwards = guarded || needsNorms
        if requirements.contains(.sums) {
            sums = gatherSums(.sums, isSecondRound: false, walksBackwards)
            overallSums = totals(of: sums)
            walksBackwards.toggle()
        }
        if requirements.contains(.moreSums) {
            moreSums = gatherSums(.moreSums, isSecondRound: true, walksBackwards)
            walksBackwards.toggle()
        }
        rememberTerms()
        if strengthIsLimited() {
            report.strengthIsBounded = true
            optimizer.counts.strengthsBounded += 1
        }
        if ratio != nil || variance != nil {
            // Scaling an infinite δ by 0 would make it NaN.
            let norm = applyBounds(ratio: ratio, variance: variance, &report)
            guard norm.isFinite || !guarded else { return overflow(&report) }
            if guarded { suspects = tensors { _ in ElementBound(constant: norm) } }
        } else if guarded && !largest.isEmpty {
            suspects = tensorsThatMayOverflow()
        }
        guard suspects.isEmpty || sumsAreFinite(suspects) else { return overflow(&report) }
        variances = noiseVariances()
        if let region = stability.trustRegion {
            guard limitSteps(region, &report) || !guarded else { return overflow(&report) }
        }
        if wantsEffect {
            effect = measuredEffect()
            if reportsEffect { report.effectivePerturbation = effect?.ratio }
        }
        let perturbationSquares = update(walksBackwards)
        rememberRules()
        optimizer.termMemory = termMemory
        if measure { report.perturbationNorm = perturbationSquares.squareRoot() }
        report.sigma = firstStrength()
    }

    private var reportsEffect: Bool { measure && optimizer.reportsEffectivePerturbation }
    private var wantsEffect: Bool { reportsEffect || needs.contains(.effect) }

    /// A rule is a value: one with another learning rate is a copy.
    private static func rules(of optimizer: PerturbedOptimizer, at step: Int) -> [any UpdateRule] {
        let factor = optimizer.controlFactor(.learningRate)
        return optimizer.groups.map { group in
            guard factor != 1 else { return group.rule }
            var rule = group.rule
            rule.learningRate = Scheduled(rule.learningRate.value(at: step) * factor)
            return rule
        }
    }

    /// The terms of a group as its rule can make them; nil where it cannot, or there are none.
    private static func drawn(
        by rule: any UpdateRule, _ terms: [PerturbedOptimizer.Term]
    ) -> [any ElementaryPerturbation]? {
        guard !terms.isEmpty, let rule = rule as? any DrawingRule, rule.drawsNoise else { return nil }
        let elementary = terms.compactMap { $0.perturbation as? any ElementaryPerturbation }
        let count = elementary.reduce(0) { $0 + type(of: $1).mostTerms }
        let areAll = elementary.count == terms.count && elementary.allSatisfy(\.isElementary)
        return areAll && count <= BlockTerms.limit ? elementary : nil
    }

    /// The step is not taken although the gradient was finite.
    private func overflow(_ report: inout StepReport) {
        report.outcome = .skippedNonFinite
        optimizer.counts.overflowed += 1
    }

    // MARK: Passes

    /// Gathers norms of g and θ; false if some g is not finite.
    private mutating func gatherNorms() -> Bool {
        let blocks = optimizer.blocks
        let wantsParameters = requirements.contains(.tensorParameters)
        var ofGradient = [pk_moments](repeating: pk_moments(), count: blocks.count)
        // Before the limit on values; empty where there is none.
        var ofWhole = [pk_moments](repeating: pk_moments(), count: valueLimit == nil ? 0 : blocks.count)
        var ofParameters = [pk_moments](repeating: pk_moments(), count: wantsParameters ? blocks.count : 0)
        ofGradient.withUnsafeMutableBufferPointer { ofGradient in
            ofWhole.withUnsafeMutableBufferPointer { ofWhole in
                ofParameters.withUnsafeMutableBufferPointer { ofParameters in
                    nonisolated(unsafe) let ofGradient = ofGradient
                    nonisolated(unsafe) let ofWhole = ofWhole
                    nonisolated(unsafe) let ofParameters = ofParameters
                    _ = perThread { range, scratch in
                        for index in range {
                            let block = blocks[index]
                            let kernels = kernels(optimizer.parameters[block.parameter].scalar)
                            if var g = gradientMemory(block, scratch) {
                                if let valueLimit {
                                    ofWhole[index] = kernels.pointee.moments(g, block.count)
                                    kernels.pointee.clamp(scratch.gradient, g, block.count, valueLimit)
                                    g = UnsafeRawPointer(scratch.gradient)
                                }
                                ofGradient[index] = kernels.pointee.moments(g, block.count)
                            }
                            if wantsParameters {
                                ofParameters[index] = kernels.pointee.moments(
                                    parameterMemory(block, scratch), block.count)
                            }
                        }
                        return 0
                    }
                }
            }
        }
        func combine(_ moments: [pk_moments]) -> [TensorStatistics] {
            var result = [TensorStatistics](repeating: TensorStatistics(), count: optimizer.parameters.count)
            for (block, m) in zip(blocks, moments) {
                result[block.parameter].add(
                    TensorStatistics(
                        count: block.count, sumOfSquares: m.sum_squares, sumOfSizes: m.sum_absolute))
            }
            return result
        }
        gradient = combine(ofGradient)
        squaresBeforeClipping =
            (valueLimit == nil ? gradient : combine(ofWhole)).reduce(0) { $0 + $1.sumOfSquares }
        if let valueLimit { exceedsValueLimit = ofWhole.contains { $0.max_absolute > valueLimit } }
        largest = [Double](repeating: 0, count: optimizer.parameters.count)
        for (block, m) in zip(blocks, ofGradient) {
            largest[block.parameter] = max(largest[block.parameter], m.max_absolute)
        }
        // What has no gradient is in no mean over gradients.
        for index in buffers.indices where !hasGradient(index) {
            gradient[index] = TensorStatistics()
        }
        if wantsParameters { parameter = combine(ofParameters) }
        // A clamp hides an infinity from the finite check.
        return (ofGradient + ofWhole).allSatisfy { $0.nonfinite == 0 }
    }

    /// Turns norms into clip factors, per tensor and then over all, and the statistics into those after it.
    private mutating func clipNorms(_ report: inout StepReport) {
        clip = [Double](repeating: 1, count: gradient.count)
        if let limit = stability.clipNorm?.value(at: step) {
            for index in gradient.indices where gradient[index].norm > limit {
                clip[index] = limit / gradient[index].norm
                gradient[index] = gradient[index].scaled(by: clip[index])
            }
        }
        overall = gradient.reduce(into: TensorStatistics()) { $0.add($1) }
        if let limit = stability.clipGlobalNorm?.value(at: step), overall.norm > limit {
            report.clipScale = limit / overall.norm
            for index in gradient.indices {
                clip[index] *= report.clipScale
                gradient[index] = gradient[index].scaled(by: report.clipScale)
            }
            overall = overall.scaled(by: report.clipScale)
        }
        if clip.contains(where: { $0 != 1 }) { optimizer.counts.clipped += 1 }
    }

    /// The index that is met in a turn of a walk over a range.
    static func walk(_ range: Range<Int>, _ turn: Int, _ backwards: Bool) -> Int {
        backwards ? range.lowerBound + range.upperBound - 1 - turn : turn
    }

    /// Updates every block; returns Σ‖δ‖² where it is measured.
    private func update(_ backwards: Bool) -> Double {
        let blocks = optimizer.blocks
        let groups = joinsBlocks ? joinedGroups : []
        var squares = [Double](repeating: 0, count: measure ? blocks.count : 0)
        squares.withUnsafeMutableBufferPointer { squares in
            nonisolated(unsafe) let squares = squares
            _ = perThread { range, scratch in
                var turn = range.lowerBound
                while turn < range.upperBound {
                    let (block, turns) =
                        !groups.isEmpty
                        ? joinedBlock(range, turn: turn, backwards, groups)
                        : (blocks[Self.walk(range, turn, backwards)], 1)
                    turn += turns
                    guard hasGradient(block.parameter) else { continue }
                    let square = updateBlock(block, scratch)
                    if measure { squares[block.index] = square }
                }
                return 0
            }
        }
        return squares.reduce(0, +)
    }

    func perThread(_ work: (Range<Int>, ThreadScratch) -> Double) -> [Double] {
        optimizer.perThread(work)
    }

    /// The kernels of the scalar type's arithmetic.
    func kernels(_ scalar: ScalarType) -> UnsafePointer<pk_kernels> {
        switch scalar {
        case .float32, .bfloat16: Float.kernels(optimizer.engine.level)
        case .float64: Double.kernels(optimizer.engine.level)
        }
    }
}
