import PerturbedEquations

/// Exploration by a process that is added to the actions, each scaled to −1 … 1.
public protocol ActionNoise: Exploration {
    /// The process for so many copies, whose numbers are all 0.
    func makeProcess(copies: Int, actionSize: Int, key: NoiseKey) -> any ActionNoiseProcess
}

/// Noise of actions as it goes on over the steps of each copy.
public protocol ActionNoiseProcess: AnyObject {
    /// What the next step goes on from, for each element of each copy's action; a saved agent saves it.
    var memory: [Double] { get set }

    /// Adds the noise of that step to the actions.
    func add(to actions: inout [Float], step: Int)

    /// A new episode has begun in a copy.
    func begin(copy: Int)
}
