import Foundation
import Safetensors
import Training

/// The outcome of an agent's run: `result.json`, and what `peo train --json` prints.
public struct AgentResult: RunResult, Codable, Equatable {
    public var status: TrainingResult.Status
    /// The configuration's name.
    public var name: String
    public var environment: String
    public var algorithm: String
    /// The number of all networks' weights.
    public var parameters: Int
    public var seed: UInt64
    /// Environment steps, over all copies, and the episodes that ended in them.
    public var steps: Int
    public var episodes: Int
    /// Wall time of acting and learning without evaluation and saving, over all sessions, and the environment steps in it.
    public var trainingSeconds: Double
    public var stepsPerSecond: Double
    /// The mean return of the last 100 episodes of training, and their mean length; nil where none ended.
    public var meanReturn: Double?
    public var meanLength: Double?
    /// The best that mean has been.
    public var bestReturn: Double?
    /// The policy without exploration, at the end.
    public var evaluation: AgentEvaluation
    /// Where the policy collapsed; empty where it did not.
    public var collapses: [CollapseWatch.Collapse]
    /// What the stability controller and the closed loops did, over all networks.
    public var stability: StabilityReport
    /// Optimizer steps that evaluated a gradient, over all networks.
    public var gradientEvaluations: Int

    public var metrics: [String: Double] {
        var metrics = [
            "evaluation.return": evaluation.mean, "evaluation.length": evaluation.meanLength,
            "trainingSeconds": trainingSeconds, "gradientEvaluations": Double(gradientEvaluations),
        ]
        metrics["return"] = meanReturn
        metrics["length"] = meanLength
        metrics["bestReturn"] = bestReturn
        return metrics
    }
}
