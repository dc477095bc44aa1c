import Foundation
import PerturbedEquations
import Testing
import Training

/// A run of a plan in a directory, broken off at a step and gone on with where asked.
enum TrainedRun {
    private struct Failure: Error {}

    private final class Breaker: TrainingObserver {
        let step: Int
        init(step: Int) { self.step = step }
        func stepped(_ moment: TrainingMoment, loss _: Double, report _: StepReport) throws {
            if moment.step == step { throw Failure() }
        }
    }

    /// Trains and gives the weights and the metrics.
    ///
    /// - Parameter plan: called for each part of the run: what is gone on with knows nothing of what was before.
    static func files(
        at url: URL, breakingAt step: Int? = nil, plan: () throws -> TrainingPlan
    ) throws -> [String: Data] {
        func train(_ run: RunDirectory, _ checkpoint: Checkpoint? = nil, _ observers: [any TrainingObserver])
            throws
        {
            let plan = try plan()
            let trainer = try Trainer(
                plan: plan, optimizer: plan.makeOptimizer(), run: run,
                reporter: ProgressReporter(isQuiet: true), version: "test", resuming: checkpoint)
            trainer.observers = observers
            _ = try trainer.train()
        }
        if let step {
            do {
                let run = try RunDirectory.create(at: url, config: "")
                #expect(throws: Failure.self) { try train(run, nil, [Breaker(step: step)]) }
            }
            let run = try RunDirectory.open(url)
            try train(run, run.checkpoints.latest().0, [])
        } else {
            try train(RunDirectory.create(at: url, config: ""), nil, [])
        }
        var files: [String: Data] = [:]
        for name in ["model.safetensors", "metrics.jsonl"] {
            files[name] = try Data(contentsOf: url.appendingPathComponent(name))
        }
        return files
    }
}
