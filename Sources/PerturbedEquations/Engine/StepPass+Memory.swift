import CPerturbationKernels

/// The memory of one block, as the terms and the rule see it.
extension StepPass {
    /// Whether a parameter takes part in the step.
    func hasGradient(_ parameter: Int) -> Bool {
        if case .noise = place { true } else { buffers[parameter].gradient != nil }
    }

    /// θ and g of a block. g is clipped into scratch memory where clipping changes it.
    ///
    /// For a bfloat16 parameter θ is a widened copy in scratch memory: what is written to it reaches the parameter
    /// by `roundBack`, and another call starts from the parameter again.
    func memory<S: BlockScalar>(
        _: S.Type, _ block: Block, _ scratch: ThreadScratch
    ) -> (parameters: UnsafeMutableBufferPointer<S>, gradient: UnsafeBufferPointer<S>) {
        let parameters = UnsafeMutableBufferPointer(
            start: parameterMemory(block, scratch).assumingMemoryBound(to: S.self), count: block.count)
        guard let raw = gradientMemory(block, scratch) else {
            return (parameters, UnsafeBufferPointer(start: nil, count: 0))
        }
        let start = raw.assumingMemoryBound(to: S.self)
        let scale = clip.isEmpty ? 1 : clip[block.parameter]
        let clipsUnits = !unitClip.isEmpty && !unitClip[block.parameter].isEmpty
        guard valueLimit != nil || scale != 1 || clipsUnits else {
            return (parameters, UnsafeBufferPointer(start: start, count: block.count))
        }
        let clipped = scratch.gradient.assumingMemoryBound(to: S.self)
        if let valueLimit {
            S.kernels(optimizer.engine.level).pointee.clamp(clipped, start, block.count, valueLimit)
        } else if raw != UnsafeRawPointer(scratch.gradient) {
            clipped.update(from: start, count: block.count)
        }
        func multiply(_ range: Range<Int>, by scale: Double) {
            let factor = S(scale)
            if factor.isNormal {
                for i in range { clipped[i] *= factor }
            } else {
                // A gradient near the type's largest value: the factor alone would lose its bits.
                for i in range { clipped[i] = S(Double(clipped[i]) * scale) }
            }
        }
        if scale != 1 { multiply(0..<block.count, by: scale) }
        if clipsUnits { forEachClippedPart(of: block, multiply) }
        return (parameters, UnsafeBufferPointer(start: clipped, count: block.count))
    }

    /// θ of a block in the type of its arithmetic: the parameter itself, or a widened copy in scratch memory.
    func parameterMemory(_ block: Block, _ scratch: ThreadScratch) -> UnsafeMutableRawPointer {
        let scalar = optimizer.parameters[block.parameter].scalar
        let start = buffers[block.parameter].parameters + block.start * scalar.size
        guard scalar == .bfloat16 else { return start }
        widen(start, block.count, into: scratch.parameters)
        return scratch.parameters
    }

    /// g of a block before clipping, in the type of its arithmetic: the gradient itself, or a widened copy in
    /// scratch memory; nil where there is none. A gradient that is noise is drawn there.
    func gradientMemory(_ block: Block, _ scratch: ThreadScratch) -> UnsafeRawPointer? {
        if case .noise(let scale, let draw) = place {
            drawGradient(block, scratch.gradient, scale: scale, draw: draw)
            return UnsafeRawPointer(scratch.gradient)
        }
        let buffer = buffers[block.parameter]
        guard let gradient = buffer.gradient else { return nil }
        let scalar = buffer.gradientScalar ?? optimizer.parameters[block.parameter].scalar
        let start = gradient + block.start * scalar.size
        guard scalar == .bfloat16 else { return start }
        widen(start, block.count, into: scratch.gradient)
        return UnsafeRawPointer(scratch.gradient)
    }

    private func drawGradient(
        _ block: Block, _ memory: UnsafeMutableRawPointer, scale: Double, draw: Int
    ) {
        let stream = ObjectiveNoise(key: optimizer.key, step: step).stream(
            parameter: block.parameter, draw: draw, firstElement: block.start, level: optimizer.engine.level)
        func fill<S: EquationScalar>(_: S.Type) {
            let memory = UnsafeMutableBufferPointer(
                start: memory.assumingMemoryBound(to: S.self), count: block.count)
            stream.run(PK_NORMAL, PK_STORE, memory, nil, scale, 0)
        }
        switch optimizer.parameters[block.parameter].scalar.arithmetic {
        case .float64: fill(Double.self)
        default: fill(Float.self)
        }
    }

    /// Rounds the widened copy of θ that `memory` made, as the rule left it, into the parameter.
    func roundBack(_ block: Block, _ scratch: ThreadScratch) {
        optimizer.equation.rounding.round(
            scratch.parameters, count: block.count,
            into: buffers[block.parameter].parameters + block.start * ScalarType.bfloat16.size,
            NoiseStream(
                key: optimizer.key, step: step, parameter: block.parameter, term: NoiseStream.roundingTerm,
                firstElement: UInt64(block.start), level: optimizer.engine.level))
    }

    private func widen(_ start: UnsafeRawPointer, _ count: Int, into output: UnsafeMutableRawPointer) {
        BFloat16.kernels(optimizer.engine.level).pointee.widen(output, start, count)
    }
}
