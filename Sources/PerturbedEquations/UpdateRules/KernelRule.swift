import CPerturbationKernels

/// A rule whose update is one kernel call, the same for float32 and float64.
protocol KernelRule: UpdateRule {
    func apply(
        _ block: borrowing pk_block, _ kernels: UnsafePointer<pk_kernels>, with numbers: RuleNumbers)
}

/// What a kernel rule computes its settings from.
struct RuleNumbers {
    let time: RuleTime
    let memory: SIMD4<Double>
    let noiseVariance: ElementVariance

    var step: Int { time.step }
}

extension KernelRule {
    public func update(_ block: UpdateBlock<Float>, at time: RuleTime) { run(block, time) }
    public func update(_ block: UpdateBlock<Double>, at time: RuleTime) { run(block, time) }

    func run<S: EquationScalar>(_ block: UpdateBlock<S>, _ time: RuleTime) {
        func state(_ index: Int) -> UnsafeMutableRawPointer? {
            index < block.state.count ? UnsafeMutableRawPointer(block.state[index].baseAddress) : nil
        }
        if let room = block.room {
            let xi = UnsafeMutableBufferPointer(start: room, count: block.parameters.count)
            block.noise.run(PK_NORMAL, PK_STORE, xi, nil, 1, 0)
        }
        let raw = pk_block(
            parameters: block.parameters.baseAddress, gradient: block.gradient.baseAddress,
            delta: block.delta?.baseAddress, state: (state(0), state(1), state(2), state(3)),
            count: block.parameters.count, gradient_scale: block.gradientScale,
            delta_scale: block.deltaScale, noise: block.room)
        apply(
            raw, S.kernels(block.level),
            with: RuleNumbers(time: time, memory: block.memory, noiseVariance: block.noiseVariance))
    }
}
