import CPerturbationKernels

/// The arithmetic of one block, for either scalar type.
extension StepPass {
    func blockSums(_ term: PerturbedOptimizer.Term, _ block: Block, _ scratch: ThreadScratch) -> SIMD4<Double>
    {
        switch optimizer.parameters[block.parameter].scalar {
        case .float32: typedSums(Float.self, term, block, scratch)
        case .float64: typedSums(Double.self, term, block, scratch)
        }
    }

    func perturbationSquares(_ block: Block, _ scratch: ThreadScratch) -> Double {
        switch optimizer.parameters[block.parameter].scalar {
        case .float32: typedSquares(Float.self, block, scratch)
        case .float64: typedSquares(Double.self, block, scratch)
        }
    }

    /// Updates a block; returns ‖δ‖² of it where that is measured.
    func updateBlock(_ block: Block, _ scratch: ThreadScratch) -> Double {
        switch optimizer.parameters[block.parameter].scalar {
        case .float32: typedUpdate(Float.self, block, scratch)
        case .float64: typedUpdate(Double.self, block, scratch)
        }
    }

    /// θ and g of a block. g is clipped into scratch memory where clipping changes it.
    private func memory<S: BlockScalar>(
        _: S.Type, _ block: Block, _ scratch: ThreadScratch
    ) -> (parameters: UnsafeMutableBufferPointer<S>, gradient: UnsafeBufferPointer<S>) {
        let buffer = buffers[block.parameter]
        let parameters = UnsafeMutableBufferPointer(
            start: buffer.parameters.assumingMemoryBound(to: S.self) + block.start, count: block.count)
        guard let raw = buffer.gradient else {
            return (parameters, UnsafeBufferPointer(start: nil, count: 0))
        }
        let start = raw.assumingMemoryBound(to: S.self) + block.start
        let scale = clip.isEmpty ? 1 : clip[block.parameter]
        guard valueLimit != nil || scale != 1 else {
            return (parameters, UnsafeBufferPointer(start: start, count: block.count))
        }
        let clipped = scratch.gradient.assumingMemoryBound(to: S.self)
        if let valueLimit {
            S.kernels(optimizer.engine.level).pointee.clamp(clipped, start, block.count, valueLimit)
        } else {
            clipped.update(from: start, count: block.count)
        }
        if scale != 1 {
            let factor = S(scale)
            if factor.isNormal {
                for i in 0..<block.count { clipped[i] *= factor }
            } else {
                // A gradient near the type's largest value: the factor alone would lose its bits.
                for i in 0..<block.count { clipped[i] = S(Double(clipped[i]) * scale) }
            }
        }
        return (parameters, UnsafeBufferPointer(start: clipped, count: block.count))
    }

    private func site(_ term: PerturbedOptimizer.Term, _ place: Int, _ block: Block) -> Site {
        let noise = NoiseStream(
            key: optimizer.key, step: step, parameter: block.parameter, term: term.number,
            firstElement: UInt64(block.start), level: optimizer.engine.level)
        return Site(
            step: step, noise: noise,
            gradient: gradient.isEmpty ? TensorStatistics() : gradient[block.parameter],
            overallGradient: overall,
            parameter: parameter.isEmpty ? TensorStatistics() : parameter[block.parameter],
            sums: sums.isEmpty ? .zero : sums[block.parameter][place],
            isFirst: place == 0 && term.storesFirst,
            strengthScale: optimizer.memory.strengthScale, strengthLimit: strengthLimit)
    }

    private func typedSums<S: BlockScalar>(
        _: S.Type, _ term: PerturbedOptimizer.Term, _ block: Block, _ scratch: ThreadScratch
    ) -> SIMD4<Double> {
        let memory = memory(S.self, block, scratch)
        guard memory.gradient.baseAddress != nil else { return .zero }
        return S.sums(
            term.perturbation, memory.gradient.span, UnsafeBufferPointer(memory.parameters).span,
            site(term, 0, block))
    }

    /// δ of a block into scratch memory; nil where there is no term.
    private func delta<S: BlockScalar>(
        _ block: Block, _ scratch: ThreadScratch, _ parameters: UnsafeMutableBufferPointer<S>,
        _ gradient: UnsafeBufferPointer<S>, prefetch: pk_prefetch?
    ) -> UnsafeMutableBufferPointer<S>? {
        let own = terms[optimizer.groupOf[block.parameter]]
        guard !own.isEmpty else { return nil }
        let delta = UnsafeMutableBufferPointer(
            start: scratch.delta.assumingMemoryBound(to: S.self), count: block.count)
        for (place, term) in own.enumerated() {
            var site = site(term, place, block)
            if place == 0 {
                site.prefetch(prefetch)
                if !term.storesFirst { delta.update(repeating: 0) }
            }
            var span = delta.mutableSpan
            S.add(
                term.perturbation, to: &span, gradient.span, UnsafeBufferPointer(parameters).span, site)
        }
        return delta
    }

    private func typedSquares<S: BlockScalar>(
        _: S.Type, _ block: Block, _ scratch: ThreadScratch
    ) -> Double {
        let memory = memory(S.self, block, scratch)
        guard let delta = delta(block, scratch, memory.parameters, memory.gradient, prefetch: nil) else {
            return 0
        }
        return squares(delta)
    }

    private func squares<S: BlockScalar>(_ x: UnsafeMutableBufferPointer<S>) -> Double {
        S.kernels(optimizer.engine.level).pointee.dot(x.baseAddress, x.baseAddress, x.count)
    }

    private func typedUpdate<S: BlockScalar>(_: S.Type, _ block: Block, _ scratch: ThreadScratch) -> Double {
        let (parameters, gradient) = memory(S.self, block, scratch)
        let state = optimizer.state[block.parameter].tensors.map {
            UnsafeMutableBufferPointer(
                start: $0.baseAddress!.assumingMemoryBound(to: S.self) + block.start, count: block.count)
        }
        let delta = delta(
            block, scratch, parameters, gradient, prefetch: prefetch(parameters, gradient, state))
        S.update(
            optimizer.groups[optimizer.groupOf[block.parameter]].rule,
            UpdateBlock(
                parameters: parameters, gradient: gradient, delta: delta.map { UnsafeBufferPointer($0) },
                state: state, gradientScale: 1, deltaScale: boundScale, level: optimizer.engine.level),
            RuleTime(step: step, update: optimizer.updates[block.parameter] + 1))
        guard measure, let delta else { return 0 }
        return squares(delta) * boundScale * boundScale
    }

    /// What the update of a block will read: θ, g and the state.
    private func prefetch<S: BlockScalar>(
        _ parameters: UnsafeMutableBufferPointer<S>, _ gradient: UnsafeBufferPointer<S>,
        _ state: [UnsafeMutableBufferPointer<S>]
    ) -> pk_prefetch {
        func address(_ index: Int) -> UnsafePointer<CChar>? {
            let start: UnsafeRawPointer? =
                index < state.count ? state[index].baseAddress.map { UnsafeRawPointer($0) } : nil
            return start?.assumingMemoryBound(to: CChar.self)
        }
        return pk_prefetch(
            arrays: (
                UnsafeRawPointer(parameters.baseAddress)?.assumingMemoryBound(to: CChar.self),
                UnsafeRawPointer(gradient.baseAddress)?.assumingMemoryBound(to: CChar.self), address(0),
                address(1), address(2), address(3)
            ), count: Int32(2 + min(4, state.count)))
    }

    /// The strength of the first noise term that has one, at the first block of its group.
    func firstStrength() -> Double? {
        for block in optimizer.blocks where block.start == 0 {
            for (place, term) in terms[optimizer.groupOf[block.parameter]].enumerated() {
                if let sigma = term.perturbation.strength(at: site(term, place, block)) { return sigma }
            }
        }
        return nil
    }
}

/// Reaches the overload of a perturbation or rule for one scalar type from generic code.
protocol BlockScalar: EquationScalar {
    static func sums(
        _ term: any Perturbation, _ gradient: Span<Self>, _ parameters: Span<Self>, _ site: Site
    ) -> SIMD4<Double>
    static func add(
        _ term: any Perturbation, to delta: inout MutableSpan<Self>, _ gradient: Span<Self>,
        _ parameters: Span<Self>, _ site: Site)
    static func update(_ rule: any UpdateRule, _ block: UpdateBlock<Self>, _ time: RuleTime)
}

extension Float: BlockScalar {
    static func sums(
        _ term: any Perturbation, _ gradient: Span<Float>, _ parameters: Span<Float>, _ site: Site
    ) -> SIMD4<Double> {
        term.sums(gradient: gradient, parameters: parameters, at: site)
    }

    static func add(
        _ term: any Perturbation, to delta: inout MutableSpan<Float>, _ gradient: Span<Float>,
        _ parameters: Span<Float>, _ site: Site
    ) {
        term.add(to: &delta, gradient: gradient, parameters: parameters, at: site)
    }

    static func update(_ rule: any UpdateRule, _ block: UpdateBlock<Float>, _ time: RuleTime) {
        rule.update(block, at: time)
    }
}

extension Double: BlockScalar {
    static func sums(
        _ term: any Perturbation, _ gradient: Span<Double>, _ parameters: Span<Double>, _ site: Site
    ) -> SIMD4<Double> {
        term.sums(gradient: gradient, parameters: parameters, at: site)
    }

    static func add(
        _ term: any Perturbation, to delta: inout MutableSpan<Double>, _ gradient: Span<Double>,
        _ parameters: Span<Double>, _ site: Site
    ) {
        term.add(to: &delta, gradient: gradient, parameters: parameters, at: site)
    }

    static func update(_ rule: any UpdateRule, _ block: UpdateBlock<Double>, _ time: RuleTime) {
        rule.update(block, at: time)
    }
}
