import CPerturbationKernels

/// The rule on one block.
extension StepPass {
    func typedUpdate<S: BlockScalar>(_: S.Type, _ block: Block, _ scratch: ThreadScratch) -> Double {
        let (parameters, gradient) = memory(S.self, block, scratch)
        let state = optimizer.state[block.parameter].tensors.map {
            UnsafeMutableBufferPointer(
                start: $0.baseAddress!.assumingMemoryBound(to: S.self) + block.start, count: block.count)
        }
        let delta = delta(
            block, scratch, parameters, gradient, prefetch: prefetch(parameters, gradient, state))
        let group = optimizer.groupOf[block.parameter]
        let needs = optimizer.groups[group].needs
        S.update(
            optimizer.groups[group].rule,
            UpdateBlock(
                parameters: parameters, gradient: gradient, delta: delta.map { UnsafeBufferPointer($0) },
                state: state, gradientScale: 1, deltaScale: boundScale,
                memory: optimizer.ruleMemory.isEmpty ? .zero : optimizer.ruleMemory[block.parameter],
                noiseVariance: variances.isEmpty ? .zero : variances[block.parameter],
                level: optimizer.engine.level,
                address: RuleNoiseAddress(
                    key: optimizer.key, step: step, parameter: block.parameter, firstElement: block.start),
                room: needs.contains(.noise) ? scratch.noise.assumingMemoryBound(to: S.self) : nil,
                sums: needs.contains(.sums) ? optimizer.ruleSums.clearedSlot(block.index) : nil),
            RuleTime(step: step, update: optimizer.updates[block.parameter] + 1))
        guard measure, let delta else { return 0 }
        return squares(delta) * boundScale * boundScale
    }

    /// What the update of a block will read: θ, g and the state.
    func prefetch<S: BlockScalar>(
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
}
