import Foundation

/// A copy of θ and the rule's state, to return to.
struct Snapshot {
    /// θ of each parameter.
    let parameters: [Data]
    /// The state tensors of each parameter.
    let state: [[Data]]
    let updates: [Int]
    let ruleMemory: [SIMD4<Double>]
    /// What stage 1 keeps: tensors of each parameter, and numbers.
    let objective: [[Data]]
    let objectiveMemory: [Double]
    let controllers: [ControllerState]
    let companions: [Data]
    /// The terms' numbers. Their tensors never change.
    let termMemory: [SIMD4<Double>]
}

extension PerturbedOptimizer {
    private func bytes(_ index: Int) -> Int {
        parameters[index].count * parameters[index].scalar.size
    }

    func takeSnapshotIfDue(_ guarding: SpikeGuard, _ buffers: [ParameterBuffer]) {
        if let last = memory.snapshotStep, step - last < guarding.snapshotEvery { return }
        memory.snapshotStep = step
        memory.snapshotLosses = memory.losses
        snapshot = makeSnapshot(buffers)
    }

    private func makeSnapshot(_ buffers: [ParameterBuffer]) -> Snapshot {
        Snapshot(
            parameters: buffers.indices.map { Data(bytes: buffers[$0].parameters, count: bytes($0)) },
            state: state.map { $0.tensors.map { Data($0) } }, updates: updates, ruleMemory: ruleMemory,
            objective: objectiveState.map { $0.tensors.map { Data($0) } }, objectiveMemory: objectiveMemory,
            controllers: controllerStates, companions: companions.map { $0.read() }, termMemory: termMemory)
    }

    /// Returns to the snapshot with less noise, or gives up there.
    func rollBack(_ guarding: SpikeGuard, loss: Double, _ buffers: [ParameterBuffer]) throws {
        if let snapshot { restore(snapshot, buffers) }
        guard snapshot != nil, memory.attempts < guarding.attempts else {
            throw DivergenceError(
                step: step, loss: loss, attempts: memory.attempts,
                restoredStep: snapshot == nil ? nil : memory.snapshotStep)
        }
        memory.attempts += 1
        memory.acceptedSinceRollback = 0
        memory.strengthScale *= guarding.cut
        counts.rolledBack += 1
    }

    private func restore(_ snapshot: Snapshot, _ buffers: [ParameterBuffer]) {
        for (index, buffer) in buffers.enumerated() {
            snapshot.parameters[index].copyBytes(
                to: UnsafeMutableRawBufferPointer(start: buffer.parameters, count: bytes(index)))
        }
        objectiveMemory = snapshot.objectiveMemory
        for (memory, saved) in zip(state + objectiveState, snapshot.state + snapshot.objective) {
            for (tensor, bytes) in zip(memory.tensors, saved) { bytes.copyBytes(to: tensor) }
        }
        updates = snapshot.updates
        ruleMemory = snapshot.ruleMemory
        controllerStates = snapshot.controllers
        for (companion, data) in zip(companions, snapshot.companions) { companion.write(data) }
        termMemory = snapshot.termMemory
        // Later losses would make the snapshot's own, higher one look like a spike.
        memory.losses = memory.snapshotLosses
    }
}

/// A copy of θ and of everything that a step changes, to return to: for those who judge several steps at once.
public struct KeptState {
    fileprivate let snapshot: Snapshot
    fileprivate let memory: SpikeGuard.Memory
}

extension PerturbedOptimizer {
    /// Copies θ and the state.
    package func keep(_ buffers: [ParameterBuffer]) -> KeptState {
        KeptState(snapshot: makeSnapshot(buffers), memory: memory)
    }

    /// Brings θ and the state back to what was kept, with less noise; the steps taken since still count as steps, so that
    /// schedules and noise go on from where they are.
    ///
    /// - Parameter cut: the factor on every noise strength.
    package func rollBack(to kept: KeptState, _ buffers: [ParameterBuffer], cut: Double) {
        let strengthScale = memory.strengthScale
        restore(kept.snapshot, buffers)
        memory = kept.memory
        memory.strengthScale = strengthScale * cut
        counts.rolledBack += 1
    }
}
