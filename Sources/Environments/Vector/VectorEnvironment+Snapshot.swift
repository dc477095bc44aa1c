import Foundation

extension VectorEnvironment {
    private struct Snapshot: Codable {
        var environment: String
        /// The environment's settings, as JSON with sorted keys.
        var settings: Data
        var seed: UInt64
        var progress: [CopyProgress]
        var states: Data
    }

    /// Everything that the copies need to go on as if nothing had happened, as JSON; the same bytes for the same state.
    public func snapshot() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return try encoder.encode(
            Snapshot(
                environment: name, settings: copies.encodedSettings(), seed: seed, progress: Array(progress),
                states: copies.encodedStates()))
    }

    /// Puts the copies where they were; `observations` too. The other arrays stay as they are: they belong to the last
    /// step.
    ///
    /// - Throws: `EnvironmentError` where the snapshot is damaged, or of another environment, other settings, another
    ///   seed or number of copies; then nothing has moved.
    public func restore(_ data: Data) throws(EnvironmentError) {
        func refuse(_ problem: String) -> EnvironmentError {
            EnvironmentError(.snapshot, "environment '\(name)': the snapshot cannot be used: \(problem)")
        }
        let snapshot: Snapshot
        do {
            snapshot = try JSONDecoder().decode(Snapshot.self, from: data)
        } catch {
            throw refuse("it is damaged (\(error))")
        }
        guard snapshot.environment == name else { throw refuse("it is of '\(snapshot.environment)'") }
        guard snapshot.seed == seed else { throw refuse("it is of seed \(snapshot.seed), not \(seed)") }
        guard snapshot.progress.count == count else {
            throw refuse("it is of \(snapshot.progress.count) copies, not \(count)")
        }
        guard snapshot.progress.allSatisfy({ $0.episode >= 0 && $0.steps >= 0 }) else {
            throw refuse("an episode or a step in it is negative")
        }
        let fault: CopyFault?
        do {
            guard try snapshot.settings == copies.encodedSettings() else {
                throw WrongStates(
                    description: "its settings are \(String(decoding: snapshot.settings, as: UTF8.self))")
            }
            fault = try copies.restore(snapshot.states, resting)
        } catch let error as WrongStates {
            throw refuse(error.description)
        } catch {
            throw refuse("its states are damaged (\(error))")
        }
        for (copy, saved) in snapshot.progress.enumerated() {
            progress.start[copy] = CopyProgress(copyKey: progress[copy].copyKey, episode: saved.episode)
            progress.start[copy].steps = saved.steps
            progress.start[copy].total = saved.total
        }
        isSpent = false
        try raise(fault)
    }
}
