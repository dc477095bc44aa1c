import Foundation
import PerturbedEquations
import Training

/// A comparison with every configuration read and checked: what will be run.
struct ComparisonPlan {
    /// One arm, or one candidate of it.
    struct Candidate {
        /// What was chosen, by key path; empty for an arm without choices.
        var values: [String: String]
        var config: any RunConfig
        /// How many times as long as the configuration says it is trained.
        var lengthFactor = 1.0

        /// Makes it longer by `factor`, as near as its unit allows: epochs are whole.
        mutating func lengthen(by factor: Double) {
            func length() -> Double { config.lengths.compactMap(\.value).first.map(Double.init) ?? 1 }
            let before = length()
            config.lengthen(by: factor)
            lengthFactor = length() / before
        }
    }

    struct Arm {
        var name: String
        var candidates: [Candidate]
        var cost: EquationCost
    }

    var arms: [Arm]

    /// The most candidates of one arm.
    private static let mostCandidates = 64

    /// - Throws: ``ConfigError`` that names the arm.
    init(_ comparison: ComparisonConfig, file: String) throws {
        arms = try comparison.arms.map { arm in
            let candidates = try Self.candidates(of: arm, comparison.base, file: file)
            let costs = try candidates.map { try EquationCost(of: $0.config.equation) }
            guard costs.allSatisfy({ $0 == costs[0] }) else {
                throw Self.error(
                    arm.name, "its candidates differ in what a step costs; compare them as arms of their own",
                    file)
            }
            return Arm(name: arm.name, candidates: candidates, cost: costs[0])
        }
        guard comparison.compute == .equal else { return }
        let most = arms.map(\.cost.total).max() ?? 1
        for index in arms.indices {
            let factor = most / arms[index].cost.total
            for candidate in arms[index].candidates.indices {
                arms[index].candidates[candidate].lengthen(by: factor)
            }
        }
    }

    /// Refuses a metric that no run of the arms can have; what their data leave out, the first outcome shows.
    ///
    /// - Throws: ``ConfigError`` with those that there are.
    func requireMetric(_ name: String?, file: String) throws {
        let possible = arms.flatMap(\.candidates).map { type(of: $0.config).metricNames }
        _ = try CellMetric.named(name, among: possible.reduce(into: []) { $0.formUnion($1) }, file: file)
    }

    private static func error(_ arm: String, _ problem: String, _ file: String) -> ConfigError {
        ConfigError(.badValue, problem, keyPath: "arms.\(arm)", file: file)
    }

    private static func candidates(
        of arm: ComparisonConfig.Arm, _ base: ConfigNode, file: String
    ) throws -> [Candidate] {
        var combinations: [[(path: [String], value: ConfigNode)]] = [[]]
        for choice in arm.choices {
            combinations = combinations.flatMap { chosen in
                choice.values.map { chosen + [(choice.path, $0)] }
            }
            guard combinations.count <= mostCandidates else {
                throw error(
                    arm.name, "more than \(mostCandidates) combinations to choose from; use peo tune", file)
            }
        }
        return try combinations.map { chosen in
            do {
                var node = base
                for override in arm.overrides { try node.apply(override) }
                for (path, value) in chosen { try node.apply(ConfigOverride(path: path, value: value)) }
                try RunConfigs.refuseSampling(node, for: "peo compare", file: file)
                let config = try RunConfigs.decode(node)
                return Candidate(
                    values: Dictionary(
                        uniqueKeysWithValues: chosen.map { ($0.path.joined(separator: "."), $0.value.inline) }
                    ),
                    config: config)
            } catch let fault as ConfigError {
                throw error(
                    arm.name, (fault.keyPath.isEmpty ? "" : "\(fault.keyPath): ") + fault.problem, file)
            }
        }
    }
}
