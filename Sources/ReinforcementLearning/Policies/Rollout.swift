import Environments

/// T steps of n copies, in flat arrays that are made once: row t·n + c belongs to step t of copy c.
struct Rollout {
    let steps: Int
    let copies: Int
    let observationSize: Int
    /// s as the networks see it, (T + 1)·n rows; the last n are of the observations after the last step.
    var observations: [Float]
    /// a as drawn, before it was clipped to the space.
    var actions: [Float]
    /// r as it is learnt from.
    var rewards: [Float]
    var terminated: [Bool]
    var truncated: [Bool]
    /// The rows that were truncated and not terminated, and the observations that they ended with.
    var cutRows: [Int] = []
    var cutObservations: [Float] = []

    init(steps: Int, copies: Int, observationSize: Int, actionSize: Int) {
        self.steps = steps
        self.copies = copies
        self.observationSize = observationSize
        let count = steps * copies
        observations = [Float](repeating: 0, count: (count + copies) * observationSize)
        actions = [Float](repeating: 0, count: count * actionSize)
        rewards = [Float](repeating: 0, count: count)
        terminated = [Bool](repeating: false, count: count)
        truncated = terminated
    }

    /// T·n.
    var count: Int { steps * copies }

    mutating func begin() {
        cutRows.removeAll(keepingCapacity: true)
        cutObservations.removeAll(keepingCapacity: true)
    }

    /// Keeps how a step of all copies ended.
    mutating func noteEnds(_ environment: VectorEnvironment, step: Int) {
        for copy in 0..<copies {
            let row = step * copies + copy
            terminated[row] = environment.terminated[copy]
            truncated[row] = environment.truncated[copy]
            guard truncated[row], !terminated[row] else { continue }
            cutRows.append(row)
            for element in 0..<observationSize {
                cutObservations.append(environment.finalObservations[copy * observationSize + element])
            }
        }
    }
}
