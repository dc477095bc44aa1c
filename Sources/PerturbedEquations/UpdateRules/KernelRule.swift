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
        if let room = block.room {
            let xi = UnsafeMutableBufferPointer(start: room, count: block.parameters.count)
            block.noise.run(PK_NORMAL, PK_STORE, xi, nil, 1, 0)
        }
        var raw = pk_block(
            parameters: block.parameters.baseAddress, gradient: block.gradient.baseAddress,
            delta: block.delta?.baseAddress, terms: nil, term_count: 0,
            state: (
                block.state.address(0), block.state.address(1), block.state.address(2), block.state.address(3)
            ),
            count: block.parameters.count, gradient_scale: block.gradientScale,
            delta_scale: block.deltaScale, noise: block.room)
        let numbers = RuleNumbers(time: time, memory: block.memory, noiseVariance: block.noiseVariance)
        let kernels = S.kernels(block.level)
        guard let terms = block.terms else {
            apply(raw, kernels, with: numbers)
            return
        }
        terms.withTerms {
            raw.terms = $0
            raw.term_count = terms.count
            apply(raw, kernels, with: numbers)
        }
    }
}

/// A rule whose kernel can make δ on its way over θ, so that none is stored and the arithmetic of the noise runs
/// while the memory of the update is fetched. The result is the same to the bit.
protocol DrawingRule: KernelRule {
    /// Whether it can with its present settings, for float32.
    var drawsNoise: Bool { get }
}
