/// Hands the memory of one block to a `BlockWork`, in the type of its arithmetic.
///
/// A bfloat16 parameter is widened into scratch memory; what is written to it reaches the parameter by
/// `roundBack`.
struct BlockLending {
    let optimizer: PerturbedOptimizer
    let buffers: [ParameterBuffer]
    /// Whether θ has been copied aside, so that the buffers hold θ̃.
    let hasCopy: Bool
    /// Tells the step's roundings to bfloat16 apart.
    let rounding: Int

    private func place(_ memory: UnsafeMutableRawPointer, _ block: Block) -> UnsafeMutableRawPointer {
        memory + block.start * optimizer.parameters[block.parameter].scalar.size
    }

    /// Copies a block of θ aside.
    func save(_ block: Block) {
        place(optimizer.copyMemory[block.parameter].tensors[0].baseAddress!, block).copyMemory(
            from: place(buffers[block.parameter].parameters, block),
            byteCount: block.count * optimizer.parameters[block.parameter].scalar.size)
    }

    func lend<S: EquationScalar>(_: S.Type, _ block: Block, _ scratch: ThreadScratch) -> ObjectiveBlock<S> {
        func span(_ start: UnsafeMutableRawPointer) -> UnsafeMutableBufferPointer<S> {
            UnsafeMutableBufferPointer(start: start.assumingMemoryBound(to: S.self), count: block.count)
        }
        func spans(_ memory: some Sequence<UnsafeMutableRawBufferPointer>) -> [UnsafeMutableBufferPointer<S>]
        {
            memory.map { span($0.baseAddress! + block.start * MemoryLayout<S>.size) }
        }
        func widened(
            _ start: UnsafeRawPointer, _ scalar: ScalarType,
            _ room: @autoclosure () -> UnsafeMutableRawPointer
        ) -> UnsafeRawPointer {
            guard scalar == .bfloat16 else { return start }
            let room = room()
            BFloat16.kernels(optimizer.engine.level).pointee.widen(room, start, block.count)
            return UnsafeRawPointer(room)
        }
        let index = block.parameter
        let scalar = optimizer.parameters[index].scalar
        let buffer = buffers[index]
        let parameters = UnsafeMutableRawPointer(
            mutating: widened(place(buffer.parameters, block), scalar, scratch.parameters))
        let original =
            hasCopy
            ? widened(
                place(optimizer.copyMemory[index].tensors[0].baseAddress!, block), scalar, scratch.noise)
            : UnsafeRawPointer(parameters)
        let gradient = buffer.gradient.map {
            let scalar = buffer.gradientScalar ?? scalar
            return widened($0 + block.start * scalar.size, scalar, scratch.gradient)
        }
        return ObjectiveBlock(
            parameter: index, number: block.index, start: block.start, parameters: span(parameters),
            original: UnsafeBufferPointer(span(UnsafeMutableRawPointer(mutating: original))),
            gradient: gradient.map {
                UnsafeBufferPointer(start: $0.assumingMemoryBound(to: S.self), count: block.count)
            },
            temporaries: spans(optimizer.temporaryMemory[index].tensors),
            stored: spans(optimizer.objectiveState[index].tensors),
            ruleState: spans(optimizer.state[index].tensors), scratch: span(scratch.delta),
            streams: ObjectiveNoise(key: optimizer.key, step: optimizer.step), level: optimizer.engine.level)
    }

    /// Rounds a widened block of θ̃ into the bfloat16 parameter.
    func roundBack(_ block: Block, _ scratch: ThreadScratch) {
        // Draw 0 of the first key rounds the update itself; an address tells 16 draws apart, and more take further keys.
        let draw = 1 + rounding
        let key =
            draw < 16 ? optimizer.key : optimizer.key.derived("rounding").derived(UInt64(draw / 16))
        optimizer.equation.rounding.round(
            scratch.parameters, count: block.count, into: place(buffers[block.parameter].parameters, block),
            NoiseStream(
                key: key, step: optimizer.step, parameter: block.parameter,
                term: NoiseStream.roundingTerm, draw: draw % 16, firstElement: UInt64(block.start),
                level: optimizer.engine.level))
    }
}
