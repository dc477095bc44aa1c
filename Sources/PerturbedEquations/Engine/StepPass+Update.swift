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
