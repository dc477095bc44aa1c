import CPerturbationKernels

/// The rule on copies of θ and its state: what a step would do, for guards and measurements that must know before.
extension StepPass {
    /// The factors that keep each tensor's step within the trust region; false if some step is not finite.
    mutating func limitSteps(_ region: TrustRegion, _ report: inout StepReport) -> Bool {
        let sums = trial { block, scratch in trialStep(block, scratch) }
        let ratio = region.ratio.value(at: step)
        var isFinite = true
        trustScale = sums.indices.map { index in
            guard sums[index][0].isFinite else {
                isFinite = false
                return 1
            }
            let floor = region.floor * Double(optimizer.parameters[index].count).squareRoot()
            let limit = ratio * max(sums[index][1].squareRoot(), floor)
            let length = sums[index][0].squareRoot()
            return length > limit ? limit / length : 1
        }
        report.trustScale = trustScale.min() ?? 1
        if report.trustScale < 1 { optimizer.counts.trustLimited += 1 } else { trustScale = [] }
        return isFinite
    }

    /// What the perturbation does to the step, over all parameters.
    func measuredEffect() -> Observation.Effect {
        let sums = trial { block, scratch in trialEffect(block, scratch) }
        let total = sums.reduce(SIMD4<Double>.zero, +).squareRoot()
        return Observation.Effect(
            perturbation: total[0], withoutPerturbation: total[1], step: total[2], parameters: total[3])
    }

    /// Sums over each tensor of what `body` finds in its blocks.
    private func trial(_ body: (Block, ThreadScratch) -> SIMD4<Double>) -> [SIMD4<Double>] {
        let blocks = optimizer.blocks
        var partial = [SIMD4<Double>](repeating: .zero, count: blocks.count)
        partial.withUnsafeMutableBufferPointer { partial in
            nonisolated(unsafe) let partial = partial
            _ = perThread { range, scratch in
                for index in range where hasGradient(blocks[index].parameter) {
                    partial[index] = body(blocks[index], scratch)
                }
                return 0
            }
        }
        var sums = [SIMD4<Double>](repeating: .zero, count: optimizer.parameters.count)
        for (block, value) in zip(blocks, partial) { sums[block.parameter] += value }
        return sums
    }

    /// ‖Δ‖² and ‖θ‖² of a block.
    func typedTrialStep<S: BlockScalar>(
        _: S.Type, _ block: Block, _ scratch: ThreadScratch
    ) -> SIMD4<Double> {
        let (parameters, gradient) = memory(S.self, block, scratch)
        let delta = delta(block, scratch, parameters, gradient, prefetch: nil)
        let after = trial(block, scratch, gradient, delta, room: 0, from: parameters)
        let size = squares(parameters)
        return [squaredDistance(after, parameters), size, 0, 0]
    }

    /// ‖ηD(g+δ) − ηD(g)‖², ‖ηD(g)‖², ‖ηD(g+δ)‖² and ‖θ‖² of a block.
    func typedTrialEffect<S: BlockScalar>(
        _: S.Type, _ block: Block, _ scratch: ThreadScratch
    ) -> SIMD4<Double> {
        let (parameters, gradient) = memory(S.self, block, scratch)
        let delta = delta(block, scratch, parameters, gradient, prefetch: nil)
        let without = trial(block, scratch, gradient, nil, room: 1, from: parameters)
        let size = squares(parameters)
        let distance = squaredDistance(without, parameters)
        guard let delta else { return [0, distance, distance, size] }
        let with = trial(block, scratch, gradient, delta, room: 0, from: parameters)
        return [squaredDistance(with, without), distance, squaredDistance(with, parameters), size]
    }

    /// θ' of a block: the rule on a copy of θ (in spare room 0 or 1) and of the state (in those from 2 on).
    private func trial<S: BlockScalar>(
        _ block: Block, _ scratch: ThreadScratch, _ gradient: UnsafeBufferPointer<S>,
        _ delta: UnsafeMutableBufferPointer<S>?, room: Int, from parameters: UnsafeMutableBufferPointer<S>
    ) -> UnsafeMutableBufferPointer<S> {
        func copy(_ source: UnsafeMutableBufferPointer<S>, _ room: Int) -> UnsafeMutableBufferPointer<S> {
            let copy = UnsafeMutableBufferPointer(
                start: scratch.spare(room).assumingMemoryBound(to: S.self), count: block.count)
            _ = copy.update(fromContentsOf: source)
            return copy
        }
        let theta = copy(parameters, room)
        let state = self.state(S.self, block)
        applyRule(
            block, scratch, theta, gradient, delta, StateBlocks(state.count) { copy(state[$0], 2 + $0) })
        return theta
    }

    /// ‖x − y‖²; both may be parameters that are near each other, so the difference is taken first.
    private func squaredDistance<S: BlockScalar>(
        _ x: UnsafeMutableBufferPointer<S>, _ y: UnsafeMutableBufferPointer<S>
    ) -> Double {
        withUnsafeTemporaryAllocation(of: S.self, capacity: x.count) { difference in
            for i in x.indices { difference.initializeElement(at: i, to: x[i] - y[i]) }
            return squares(difference)
        }
    }
}
