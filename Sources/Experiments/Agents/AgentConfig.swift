import Environments
import PerturbedEquations
import ReinforcementLearning
import Training

/// An agent's whole experiment as a file says it: the environment, the algorithm, the training and the perturbed equation.
///
/// ```yaml
/// environment: CartPole-v1              # or {NChain: {length: 30}}
/// agent: {ppo: {entropyCoefficient: 0.01}}
/// training: {steps: 100000, copies: 4, seed: 1}
/// rule: {adam: {learningRate: {linear: {from: 2.5e-4, to: 0}}, epsilon: 1e-5}}
/// perturbation:
///   - gaussian: {sigma: 0.01}
/// stability: {clipGlobalNorm: 0.5}
/// ```
///
/// `environment`, `agent`, `training` and `rule` must be there.
public struct AgentConfig: RunConfig {
    public var environment: NamedEnvironment
    public var agent: NamedAlgorithm
    public var training: AgentTrainingSettings
    public var equation: PerturbedEquation
    public var groups: [ParameterGroup] = []
    public var output: String?

    private enum CodingKeys: String, CodingKey { case environment, agent, training, groups, output }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        environment = try container.decode(NamedEnvironment.self, forKey: .environment)
        agent = try container.decode(NamedAlgorithm.self, forKey: .agent)
        training = try container.decode(AgentTrainingSettings.self, forKey: .training)
        equation = try PerturbedEquation(ofRun: decoder)
        groups = try container.decodeIfPresent([ParameterGroup].self, forKey: .groups) ?? []
        output = try container.decodeIfPresent(String.self, forKey: .output)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(environment, forKey: .environment)
        try container.encode(agent, forKey: .agent)
        try container.encode(training, forKey: .training)
        try equation.encode(to: encoder)
        if !groups.isEmpty { try container.encode(groups, forKey: .groups) }
        try container.encodeIfPresent(output, forKey: .output)
    }

    public var threads: Int? { training.threads }
    /// Nothing of it depends on the machine.
    public func resolved(threads: Int) -> AgentConfig { self }
    public var lengths: [(name: String, value: Int?)] { [("steps", training.steps)] }

    public mutating func lengthen(by factor: Double) {
        training.steps = max(1, Int((Double(training.steps) * factor).rounded()))
    }

    /// An agent's candidates are chosen by their returns with other seeds.
    public mutating func holdOut(fraction: Double) {}
    public static let choosingPrefix = ""
    public static let metricNames: Set<String> = [
        "return", "length", "bestReturn", "evaluation.return", "evaluation.length", "trainingSeconds",
        "gradientEvaluations",
    ]
}
