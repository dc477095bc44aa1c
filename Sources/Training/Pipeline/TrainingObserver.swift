import Foundation
import PerturbedEquations
import TorchNN

/// Is told what happens in a run: a callback of your own. Every hook does nothing unless you write it.
///
/// ```swift
/// final class Losses: TrainingObserver {
///     var all: [Double] = []
///     func stepped(_ moment: TrainingMoment, loss: Double, report: StepReport) { all.append(loss) }
/// }
/// trainer.observers = [losses]
/// ```
///
/// Hooks run on the trainer's thread, in the order of `observers`, and their time is not counted as training. An error
/// that one throws ends the run. They may read the model; one that changes it, or that is random, is what a resumed run
/// depends on too.
public protocol TrainingObserver: AnyObject {
    /// After each logical step, applied, skipped or rolled back.
    func stepped(_ moment: TrainingMoment, loss: Double, report: StepReport) throws
    /// After each evaluation, while the model has the weights that were measured.
    func evaluated(_ moment: TrainingMoment, _ evaluation: Evaluation, isBest: Bool) throws
    /// After a checkpoint was written.
    func saved(_ moment: TrainingMoment, checkpoint: URL) throws
    /// Whether the run is to end now as if its patience were over; asked after each step.
    func wantsToStop(_ moment: TrainingMoment) -> Bool
}

extension TrainingObserver {
    public func stepped(_: TrainingMoment, loss _: Double, report _: StepReport) throws {}
    public func evaluated(_: TrainingMoment, _: Evaluation, isBest _: Bool) throws {}
    public func saved(_: TrainingMoment, checkpoint _: URL) throws {}
    public func wantsToStop(_: TrainingMoment) -> Bool { false }
}

/// Where a run stands when an observer is called.
public struct TrainingMoment {
    /// Logical steps taken.
    public let step: Int
    /// Logical steps of the whole run.
    public let totalSteps: Int
    /// The epoch of the last step, from 0.
    public let epoch: Int
    public let model: any Module
}
