import CPerturbationKernels

/// A sampler with a velocity: v is drawn from its own stationary distribution N(0, ηT) at the first update.
protocol MomentumSampler: Sampler {
    /// After the blocks' kernel: what the rule sums of the velocity.
    func finish<S: EquationScalar>(_ block: UpdateBlock<S>)
}

extension MomentumSampler {
    public var stateNames: [String] { ["momentum_buffer"] }

    public func update(_ block: UpdateBlock<Float>, at time: RuleTime) { move(block, time) }
    public func update(_ block: UpdateBlock<Double>, at time: RuleTime) { move(block, time) }

    private func move<S: EquationScalar>(_ block: UpdateBlock<S>, _ time: RuleTime) {
        if time.update == 1 {
            let variance = learningRate.value(at: time.step) * temperature.value(at: time.step)
            block.noise.draw(1).run(PK_NORMAL, PK_STORE, block.state[0], nil, variance.squareRoot(), 0)
        }
        run(block, time)
        finish(block)
    }

    func finish<S: EquationScalar>(_ block: UpdateBlock<S>) {}

    /// v ← (1 − a)v − ηN(ĝ + λθ) + √(2cηT)·ξ; θ ← θ + v, with friction a and noise for a friction c.
    func move(
        _ block: borrowing pk_block, _ kernels: UnsafePointer<pk_kernels>, at step: Int, friction: Double,
        noise: Double
    ) {
        let rate = learningRate.value(at: step)
        var rule = pk_langevin(
            rate: rate * dataSize, penalty: weightDecay.value(at: step), decay: 0, friction: friction,
            strength: (2 * max(noise, 0) * rate * temperature.value(at: step)).squareRoot())
        withUnsafePointer(to: copy block) { kernels.pointee.langevin($0, &rule) }
    }
}
