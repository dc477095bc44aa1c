import Environments
import Foundation
import Safetensors
import Torch

/// Acts in copies of an environment and remembers what came of it: what the algorithms with a replay memory share.
final class ReplayCollector {
    let copies: VectorEnvironment
    let replay: ReplayBuffer
    /// Steps that each copy has taken.
    private(set) var steps = 0
    private var observations: [Float]

    /// - Throws: `ReplayBufferError` where the memory is too large.
    init(_ copies: VectorEnvironment, capacity: Int) throws {
        self.copies = copies
        replay = try ReplayBuffer(
            capacity: capacity, observationSize: copies.observationSpace.count,
            actionSize: copies.actionSpace.count)
        observations = [Float](repeating: 0, count: copies.observations.count)
    }

    /// Environment steps, over all copies.
    var environmentSteps: Int { steps * copies.count }

    /// What the copies show, [copies, numbers].
    func observed() throws -> Tensor {
        try copies.observations.withUnsafeBufferPointer {
            try Tensor(
                bytes: UnsafeRawBufferPointer($0), shape: [copies.count, copies.observationSpace.count],
                dtype: .float32)
        }
    }

    /// Steps every copy.
    ///
    /// - Parameters:
    ///   - actions: as the environment takes them.
    ///   - remembered: as the agent thinks of them.
    ///   - report: takes the episodes that end.
    /// - Returns: whether an episode of the first copy ended.
    @discardableResult
    func step(
        _ actions: [Float], remembering remembered: [Float], _ report: inout LearnerReport,
        ended: (_ copy: Int) -> Void = { _ in }
    ) throws -> Bool {
        for i in observations.indices { observations[i] = copies.observations[i] }
        try copies.step(actions)
        replay.add(observations, actions: remembered, from: copies)
        steps += 1
        for copy in 0..<copies.count {
            guard let episode = copies.endedEpisode(of: copy) else { continue }
            report.episodes.append(episode)
            ended(copy)
        }
        return copies.endedEpisode(of: 0) != nil
    }

    /// What of it an agent saves.
    func save(in state: inout LearnerState) throws {
        state.tensors += replay.tensors
        state.metadata["steps"] = "\(steps)"
        state.metadata["environment"] = String(decoding: try copies.snapshot(), as: UTF8.self)
    }

    /// - Throws: `LearnerStateError`, `ReplayBufferError` or `EnvironmentError` that names the fault.
    func restore(_ metadata: [String: String], from file: SafetensorsFile, of algorithm: String) throws {
        let steps = try LearnerState.value(Int.self, metadata["steps"], of: algorithm, in: file)
        guard steps >= 0, let environment = metadata["environment"] else {
            throw LearnerStateError(
                "\(file.name): the state of \(algorithm) has no environment, or \(steps) steps")
        }
        try replay.restore(from: file)
        try copies.restore(Data(environment.utf8))
        self.steps = steps
    }
}
