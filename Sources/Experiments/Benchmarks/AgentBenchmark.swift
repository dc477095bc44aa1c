import Foundation
import PerturbedEquations
import ReinforcementLearning
import Torch

/// Environment steps a second of agents as they act and learn: `peo bench agents`.
///
/// The same algorithms with the same networks are in `Benchmarks/` as CleanRL writes them; `make bench-agents` runs both.
public struct AgentBenchmark: Sendable {
    public struct Row: Sendable, Codable {
        public let name: String
        public let threads: Int
        /// Environment steps over all copies, after a tenth as many that are not counted.
        public let steps: Int
        public let seconds: Double
        public let stepsPerSecond: Double
    }

    /// An agent's configuration by name.
    public struct Case: Sendable {
        public let name: String
        /// Environment steps that are timed unless told.
        public let steps: Int
        /// As in a file, with `training.steps` of `steps`.
        let config: @Sendable (_ steps: Int) -> String
    }

    public static let all: [Case] = [
        Case(name: "cartpole-ppo", steps: 50_000) { steps in
            """
            environment: CartPole-v1
            agent: {ppo: {rolloutLength: 128, minibatches: 4, epochs: 4}}
            training: {steps: \(steps), copies: 4, seed: 1, threads: 1}
            rule: {adam: {learningRate: {linear: {from: 2.5e-4, to: 0}}, epsilon: 1e-5}}
            stability: {clipGlobalNorm: 0.5}
            """
        },
        // Every counted step has an update where they are 2,560 or more.
        Case(name: "pendulum-sac", steps: 5000) { steps in
            """
            environment: Pendulum-v1
            agent: {sac: {learningStarts: 256}}
            training: {steps: \(steps), copies: 1, seed: 1, threads: 2}
            rule: {adam: {learningRate: 3e-4}}
            groups: [{parameters: ["critic*", "temperature.*"], rule: {adam: {learningRate: 1e-3}}}]
            """
        },
    ]

    /// Runs an agent for some steps, without log and checkpoints.
    /// - Parameter threads: the case's own unless told.
    /// - Throws: as a run.
    public static func run(_ one: Case, steps: Int?, threads: Int? = nil) throws -> Row {
        let steps = steps ?? one.steps
        var config = try AgentConfig(yaml: one.config(steps + steps / 10))
        config.training.threads = threads ?? config.training.threads
        let plan = try AgentExperiment(config, name: one.name).plan()
        let learner = plan.learner
        while learner.environmentSteps < steps / 10 { _ = try learner.advance() }
        let first = learner.environmentSteps
        let clock = ContinuousClock()
        let start = clock.now
        while learner.environmentSteps < first + steps { _ = try learner.advance() }
        let seconds = (clock.now - start) / .seconds(1)
        let taken = learner.environmentSteps - first
        return Row(
            name: one.name, threads: config.training.threads, steps: taken, seconds: seconds,
            stepsPerSecond: Double(taken) / seconds)
    }
}
