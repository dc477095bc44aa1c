import Foundation
import PerturbedEquations

/// How an agent tries actions that its policy would not take: a perturbation of the action, of the policy's weights or of its
/// layers. Each algorithm says which it can use.
///
/// To add one: its own file, and a line in ``ExplorationCatalogue``. A process that is added to actions conforms to
/// ``ActionNoise`` and needs nothing else.
public protocol Exploration: Catalogued {}

/// The explorations that a configuration can name.
public enum ExplorationCatalogue {
    public static let all: [any Exploration.Type] = [
        EpsilonGreedy.self,
        NoisyLayers.self,
        ParameterNoise.self,
        OrnsteinUhlenbeck.self,
        StateDependentExploration.self,
    ]
}

/// An exploration as it is written: `parameterNoise`, or `{gSDE: {every: 32}}`.
public struct NamedExploration: Sendable, Codable {
    public var exploration: any Exploration

    public init(_ exploration: any Exploration) {
        self.exploration = exploration
    }

    public init(from decoder: any Decoder) throws {
        exploration = try decodeNamed(
            decoder, kind: "exploration", among: ExplorationCatalogue.all, as: (any Exploration).self)
    }

    public func encode(to encoder: any Encoder) throws {
        try encodeNamed(exploration, to: encoder)
    }
}

extension NamedExploration? {
    /// The name and the settings are in range, and the algorithm can use it.
    func validate(for algorithm: String, allowed: [any Exploration.Type], orActionNoise: Bool = false) throws
    {
        guard let exploration = self?.exploration else { return }
        let type = type(of: exploration)
        let name = type.catalogueEntry.name
        let usable = ExplorationCatalogue.all.filter { one in
            allowed.contains { $0 == one } || orActionNoise && one is any ActionNoise.Type
        }
        try require(
            usable.contains { $0 == type } || orActionNoise && exploration is any ActionNoise, "exploration",
            is: "\(name), which \(algorithm) cannot use",
            allowed: usable.map { $0.catalogueEntry.name }.joined(separator: ", "))
        try within("exploration.\(name)") { try exploration.validate() }
    }
}
