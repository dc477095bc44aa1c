import CPerturbationKernels

/// What the terms need from outside, and what they keep.
extension PerturbedOptimizer {
    /// The signals that the coming step needs in every parameter's buffer.
    public var requiredSignals: Set<Signal> {
        Set(groups.flatMap { $0.activeTerms(at: step, key, hasLimit: false) }.flatMap(\.needs.signals))
    }

    /// The signals that some step may need.
    public var possibleSignals: Set<Signal> {
        Set(groups.flatMap(\.terms).flatMap { $0.perturbation.requirements(at: 0).signals })
    }

    /// How the terms want the Hessian's diagonal estimated; nil where none needs it.
    public var hessianEstimate: HessianEstimate? {
        groups.lazy.flatMap(\.terms).compactMap { ($0.perturbation as? CurvatureShaped)?.hessianEstimate }
            .first
    }

    /// Refuses a step without a signal that a term needs.
    ///
    /// - Parameter withoutGradients: whether parameters take part that have no gradient in memory.
    func requireSignals(in buffers: [ParameterBuffer], withoutGradients: Bool) throws {
        guard mayNeedSignals else { return }
        let active = groups.map { $0.activeTerms(at: step, key, hasLimit: false) }
        for (index, buffer) in buffers.enumerated()
        where (buffer.gradient != nil || withoutGradients) && parameters[index].count > 0 {
            for term in active[groupOf[index]] {
                for signal in term.needs.signals where buffer.signals[signal] == nil {
                    throw MissingSignalError(
                        term: type(of: term.perturbation).catalogueEntry.name, signal: signal,
                        parameter: parameters[index].name)
                }
            }
        }
    }

    /// Fills the tensors that terms keep, before the first update.
    func initialiseTerms(_ buffers: [ParameterBuffer]) {
        guard !termsAreInitialised else { return }
        for (index, spec) in parameters.enumerated() {
            for term in groups[groupOf[index]].terms {
                guard let slot = term.tensorSlot,
                    let memory = termTensors[index * termLayout.tensorWidth + slot]
                else { continue }
                for (number, tensor) in memory.tensors.enumerated() {
                    fill(tensor, of: term.perturbation, number, spec, from: buffers[index].parameters)
                }
            }
        }
        termsAreInitialised = true
    }

    private func fill(
        _ tensor: UnsafeMutableRawBufferPointer, of term: any Perturbation, _ number: Int,
        _ spec: ParameterSpec, from theta: UnsafeMutableRawPointer
    ) {
        func typed<S: BlockScalar>(_ theta: UnsafeRawPointer, _: S.Type) {
            var stored = UnsafeMutableBufferPointer(
                start: tensor.baseAddress!.assumingMemoryBound(to: S.self), count: spec.count
            ).mutableSpan
            S.initialise(
                term, &stored, number,
                UnsafeBufferPointer(start: theta.assumingMemoryBound(to: S.self), count: spec.count).span)
        }
        switch spec.scalar {
        case .float32: typed(theta, Float.self)
        case .float64: typed(theta, Double.self)
        case .bfloat16:
            withUnsafeTemporaryAllocation(of: Float.self, capacity: max(1, spec.count)) { wide in
                BFloat16.kernels(engine.level).pointee.widen(wide.baseAddress, theta, spec.count)
                typed(UnsafeRawPointer(wide.baseAddress!), Float.self)
            }
        }
    }
}

extension StepPass {
    /// Lets the terms that keep numbers change them: once per step, tensor and term. They count once the step is
    /// applied.
    mutating func rememberTerms() {
        guard !termMemory.isEmpty else { return }
        for block in optimizer.blocks where block.start == 0 && hasGradient(block.parameter) {
            for (place, term) in terms[optimizer.groupOf[block.parameter]].enumerated() {
                guard let slot = term.memorySlot else { continue }
                let index = block.parameter * optimizer.termLayout.memoryWidth + slot
                var memory = termMemory[index]
                term.perturbation.remember(&memory, at: site(term, place, block))
                termMemory[index] = memory
            }
        }
    }
}
