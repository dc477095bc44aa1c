import CPerturbationKernels

/// The memory of one block, as the terms and the rule see it.
extension StepPass {
    /// θ and g of a block. g is clipped into scratch memory where clipping changes it.
    func memory<S: BlockScalar>(
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
}
