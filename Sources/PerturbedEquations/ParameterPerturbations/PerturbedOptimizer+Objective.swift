extension PerturbedOptimizer {
    /// Takes one logical step on an objective, which may be evaluated more than once: the step of equations
    /// with a parameter perturbation, and as good as any for those without.
    ///
    /// ```swift
    /// try optimizer.step(buffers) { evaluation in
    ///     loss and gradient at the present θ̃, the gradient into the buffers' memory
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - buffers: the memory of each parameter, in the order of `parameters`.
    ///   - measure: whether to report ‖g‖ and ‖δ‖ even where the step does not need them.
    ///   - objective: gives the loss at the parameters in the buffers and, where the evaluation asks for it,
    ///     fills the gradient buffers. It must not change the parameters.
    /// - Returns: what was done. A skipped or rolled-back step also counts as a step.
    /// - Throws: what `objective` throws: θ is as before to the bit, no state was touched, and the step has not
    ///   been taken. `DivergenceError` when the spike guard gives up, with the last good state restored.
    @discardableResult
    public func step(
        _ buffers: [ParameterBuffer], measure: Bool = false, objective: (ObjectiveEvaluation) throws -> Double
    ) throws -> StepReport {
        try step(lending: { buffers }, measure: measure, objective: objective)
    }

    /// The same where gradients get their memory from the evaluation, as in libtorch.
    ///
    /// - Parameter lend: gives the buffers; called before the first evaluation and after each. The parameters'
    ///   memory must stay where it is for the length of the step.
    @discardableResult
    public func step(
        lending lend: () throws -> [ParameterBuffer], measure: Bool = false,
        objective: (ObjectiveEvaluation) throws -> Double
    ) throws -> StepReport {
        guard let parameterPerturbation else {
            let loss = try objective(ObjectiveEvaluation(step: step, number: 0, needsGradient: true))
            return try apply(
                try lend(), loss: loss, measure: measure, ObjectiveGradient(loss: loss),
                EvaluationCounts(gradients: 1))
        }
        return try withoutActuallyEscaping(lend) { lend in
            try withoutActuallyEscaping(objective) { objective in
                let pass = try ObjectivePass(self, lend: lend, objective: objective)
                let gradient = try gradient(of: parameterPerturbation, pass)
                let report = try apply(
                    buffers(for: gradient, pass), loss: gradient?.loss ?? pass.firstLoss, measure: measure,
                    gradient, pass.counts)
                if report.outcome == .applied {
                    objectiveMemory = pass.memory
                    pass.runCommits()
                }
                return report
            }
        }
    }

    /// The gradient that the step goes on with, θ restored; nil if an evaluation was not finite.
    private func gradient(
        of perturbation: any ParameterPerturbation, _ pass: ObjectivePass
    ) throws -> ObjectiveGradient? {
        defer { pass.restore() }
        do {
            return try perturbation.gradient(pass)
        } catch is EvaluationNotFinite {
            return nil
        }
    }

    private func buffers(for gradient: ObjectiveGradient?, _ pass: ObjectivePass) -> [ParameterBuffer] {
        guard case .temporary(let number) = gradient?.place else { return pass.buffers }
        return pass.buffers.enumerated().map { index, buffer in
            ParameterBuffer(
                parameters: buffer.parameters,
                gradient: buffer.gradient.map { _ in
                    UnsafeRawPointer(temporaryMemory[index].tensors[number].baseAddress!)
                }, gradientScalar: parameters[index].scalar.arithmetic, signals: buffer.signals)
        }
    }

    // MARK: Memory

    /// Makes the copy of θ and the temporary tensors at the first step that needs them; they are kept.
    func prepareWorkspace(copying: Bool) {
        if copying && copyMemory.isEmpty {
            copyMemory = parameters.map { StateMemory(tensors: 1, bytes: $0.count * $0.scalar.size) }
        }
        if temporaryMemory.isEmpty {
            let count = parameterPerturbation?.temporaries ?? 0
            temporaryMemory = parameters.map {
                StateMemory(tensors: count, bytes: $0.count * $0.scalar.arithmetic.size)
            }
        }
    }

    /// Bytes that grow with the parameters and belong to stage 1: the copy, temporary and kept tensors.
    package var objectiveBytes: Int {
        (copyMemory + temporaryMemory + objectiveState).flatMap(\.tensors).reduce(0) { $0 + $1.count }
    }

    /// Puts every θ back from the copy.
    func restoreParameters(_ buffers: [ParameterBuffer]) {
        _ = perThread { range, _ in
            for index in range {
                let block = blocks[index]
                let size = parameters[block.parameter].scalar.size
                (buffers[block.parameter].parameters + block.start * size).copyMemory(
                    from: copyMemory[block.parameter].tensors[0].baseAddress! + block.start * size,
                    byteCount: block.count * size)
            }
            return 0
        }
    }
}
