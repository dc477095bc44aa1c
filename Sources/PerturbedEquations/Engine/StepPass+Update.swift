import CPerturbationKernels

/// The rule on one block.
extension StepPass {
    func typedUpdate<S: BlockScalar>(_: S.Type, _ block: Block, _ scratch: ThreadScratch) -> Double {
        let (parameters, gradient) = memory(S.self, block, scratch)
        let state = state(S.self, block)
        let terms = S.self == Float.self ? drawnTerms(block) : nil
        // Of no term at all the rule sees nothing, whether or not δ is measured.
        let isNothing = terms?.count == 0
        let drawn = measure || isNothing ? nil : terms
        let delta =
            drawn == nil && !isNothing
            ? delta(
                block, scratch, parameters, gradient, prefetch: prefetch(parameters, gradient, state)) : nil
        let trust = trustScale.isEmpty ? 1 : trustScale[block.parameter]
        if trust == 1 {
            applyRule(block, scratch, parameters, gradient, delta, state, drawn)
        } else {
            let before = scratch.spare(0).assumingMemoryBound(to: S.self)
            before.update(from: parameters.baseAddress!, count: block.count)
            applyRule(block, scratch, parameters, gradient, delta, state, drawn)
            let trust = S(trust)
            for i in parameters.indices {
                parameters[i] = before[i].addingProduct(trust, parameters[i] - before[i])
            }
        }
        guard measure, let delta else { return 0 }
        let scale = deltaScale(block.parameter)
        return squares(delta) * scale * scale
    }

    /// The state tensors' parts of a block.
    func state<S: BlockScalar>(_: S.Type, _ block: Block) -> StateBlocks<S> {
        let memory = optimizer.state[block.parameter]
        return StateBlocks(memory.count) {
            UnsafeMutableBufferPointer(
                start: memory.tensors[$0].baseAddress!.assumingMemoryBound(to: S.self) + block.start,
                count: block.count)
        }
    }

    /// δ of a block where the rule makes it itself, which may be no term at all; nil where it does not.
    private func drawnTerms(_ block: Block) -> BlockTerms? {
        let group = optimizer.groupOf[block.parameter]
        guard let own = drawn[group] else { return nil }
        var found = BlockTerms()
        for (place, term) in own.enumerated() {
            found.append(
                term, weight: terms[group][place].weight, at: site(terms[group][place], place, block),
                Float.self)
        }
        return found
    }

    /// The rule on θ and state of a block, or on copies of them.
    func applyRule<S: BlockScalar>(
        _ block: Block, _ scratch: ThreadScratch, _ parameters: UnsafeMutableBufferPointer<S>,
        _ gradient: UnsafeBufferPointer<S>, _ delta: UnsafeMutableBufferPointer<S>?,
        _ state: StateBlocks<S>, _ drawn: BlockTerms? = nil
    ) {
        let group = optimizer.groupOf[block.parameter]
        let needs = optimizer.groups[group].needs
        S.update(
            rules[group],
            UpdateBlock(
                parameters: parameters, gradient: gradient, delta: delta.map { UnsafeBufferPointer($0) },
                state: state, terms: drawn, gradientScale: 1, deltaScale: deltaScale(block.parameter),
                memory: optimizer.ruleMemory.isEmpty ? .zero : optimizer.ruleMemory[block.parameter],
                noiseVariance: variances.isEmpty || (delta == nil && drawn == nil)
                    ? .zero : variances[block.parameter],
                curvature: curvature.map {
                    UnsafeBufferPointer(
                        start: optimizer.temporaryMemory[block.parameter].tensors[$0].baseAddress!
                            .assumingMemoryBound(to: S.self) + block.start, count: block.count)
                },
                level: optimizer.engine.level,
                address: RuleNoiseAddress(
                    key: optimizer.key, step: step, parameter: block.parameter, firstElement: block.start),
                room: needs.contains(.noise) ? scratch.noise.assumingMemoryBound(to: S.self) : nil,
                sums: needs.contains(.sums) ? optimizer.ruleSums.clearedSlot(block.index) : nil),
            RuleTime(step: step, update: optimizer.updates[block.parameter] + 1))
    }

    /// What the update of a block will read: θ, g and the state.
    func prefetch<S: BlockScalar>(
        _ parameters: UnsafeMutableBufferPointer<S>, _ gradient: UnsafeBufferPointer<S>,
        _ state: StateBlocks<S>
    ) -> pk_prefetch {
        func address(_ start: UnsafeRawPointer?) -> UnsafePointer<CChar>? {
            start?.assumingMemoryBound(to: CChar.self)
        }
        return pk_prefetch(
            arrays: (
                address(parameters.baseAddress), address(gradient.baseAddress), address(state.address(0)),
                address(state.address(1)), address(state.address(2)), address(state.address(3))
            ), count: Int32(2 + state.count))
    }
}
