import CPerturbationKernels

/// δ of one block: the terms, each at its site.
extension StepPass {
    func site(_ term: PerturbedOptimizer.Term, _ place: Int, _ block: Block) -> Site {
        let noise = NoiseStream(
            key: optimizer.key, step: step, parameter: block.parameter, term: term.number,
            firstElement: UInt64(block.start), level: optimizer.engine.level)
        var site = Site(
            step: step, noise: noise,
            gradient: gradient.isEmpty ? TensorStatistics() : gradient[block.parameter],
            overallGradient: overall,
            parameter: parameter.isEmpty ? TensorStatistics() : parameter[block.parameter],
            sums: sums.isEmpty ? .zero : sums[block.parameter][place],
            isFirst: place == 0 && term.storesFirst,
            strengthScale: strengthScale, strengthLimit: strengthLimit)
        if term.isPlain { return site }
        complete(&site, term, place, block)
        return site
    }

    /// What only some terms ask for.
    private func complete(_ site: inout Site, _ term: PerturbedOptimizer.Term, _ place: Int, _ block: Block) {
        let parameter = block.parameter
        let group = optimizer.groupOf[parameter]
        if !moreSums.isEmpty { site.moreSums = moreSums[parameter][place] }
        if !overallSums.isEmpty { site.overallSums = overallSums[group][place] }
        if let slot = term.memorySlot {
            site.memory = termMemory[parameter * optimizer.termLayout.memoryWidth + slot]
        }
        site.update = optimizer.updates[parameter] + 1
        if !learningRates.isEmpty { site.learningRate = learningRates[group] }
        if !clip.isEmpty { site.clipScale = clip[parameter] }
        site.inputs = ElementInputs(
            stored: term.tensorSlot.flatMap {
                optimizer.termTensors[parameter * optimizer.termLayout.tensorWidth + $0]
            }, signals: buffers[parameter].signals, start: block.start, count: block.count,
            scalar: optimizer.parameters[parameter].scalar.arithmetic)
        if !term.needs.isDisjoint(with: [.secondMoment, .secondMomentIfKept]),
            let number = optimizer.groups[group].secondMoment
        {
            site.inputs.secondMoment = UnsafeRawPointer(
                optimizer.state[parameter].tensors[number].baseAddress)
        }
    }

    func typedSums<S: BlockScalar>(
        _: S.Type, _ term: PerturbedOptimizer.Term, _ site: Site, _ block: Block, _ scratch: ThreadScratch
    ) -> SIMD4<Double> {
        let memory = memory(S.self, block, scratch)
        guard memory.gradient.baseAddress != nil else { return .zero }
        return S.sums(
            term.perturbation, memory.gradient.span, UnsafeBufferPointer(memory.parameters).span, site)
    }

    /// δ of a block into scratch memory; nil where there is no term.
    func delta<S: BlockScalar>(
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
            if term.weight != 1, let elementary = term.perturbation as? any ElementaryPerturbation,
                elementary.isElementary
            {
                // As a rule makes it, to the bit.
                var found = BlockTerms()
                found.append(elementary, weight: term.weight, at: site, S.self)
                found.add(
                    to: delta, gradient: gradient, parameters: UnsafeBufferPointer(parameters), at: site)
                continue
            }
            if term.weight != 1 {
                addWeighted(term, site, place, to: delta, scratch, parameters, gradient)
                continue
            }
            var span = delta.mutableSpan
            S.add(
                term.perturbation, to: &span, gradient.span, UnsafeBufferPointer(parameters).span, site)
        }
        return delta
    }

    /// δ += w·P, by way of more scratch memory.
    private func addWeighted<S: BlockScalar>(
        _ term: PerturbedOptimizer.Term, _ site: Site, _ place: Int, to delta: UnsafeMutableBufferPointer<S>,
        _ scratch: ThreadScratch, _ parameters: UnsafeMutableBufferPointer<S>,
        _ gradient: UnsafeBufferPointer<S>
    ) {
        let part = UnsafeMutableBufferPointer(
            start: scratch.part.assumingMemoryBound(to: S.self), count: delta.count)
        var site = site
        site.isFirst = term.storesFirst
        if !term.storesFirst { part.update(repeating: 0) }
        var span = part.mutableSpan
        S.add(term.perturbation, to: &span, gradient.span, UnsafeBufferPointer(parameters).span, site)
        if place == 0 && term.storesFirst { delta.update(repeating: 0) }
        S.kernels(optimizer.engine.level).pointee.add_scaled(
            delta.baseAddress, part.baseAddress, delta.count, term.weight)
    }

    func typedSquares<S: BlockScalar>(
        _: S.Type, _ block: Block, _ scratch: ThreadScratch
    ) -> Double {
        let memory = memory(S.self, block, scratch)
        guard let delta = delta(block, scratch, memory.parameters, memory.gradient, prefetch: nil) else {
            return 0
        }
        return squares(delta)
    }

    func squares<S: BlockScalar>(_ x: UnsafeMutableBufferPointer<S>) -> Double {
        S.kernels(optimizer.engine.level).pointee.dot(x.baseAddress, x.baseAddress, x.count)
    }

    /// The strength of the first noise term that has one, at the first block of its group.
    func firstStrength() -> Double? {
        for block in optimizer.blocks where block.start == 0 {
            for (place, term) in terms[optimizer.groupOf[block.parameter]].enumerated() {
                if let sigma = term.perturbation.strength(at: site(term, place, block)) {
                    return sigma * abs(term.weight)
                }
            }
        }
        return nil
    }
}
