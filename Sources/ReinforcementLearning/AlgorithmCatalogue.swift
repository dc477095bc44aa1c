import PerturbedEquations

/// The algorithms that a configuration can name.
///
/// To add one: its own file, and a line here.
public enum AlgorithmCatalogue {
    public static let all: [any Algorithm.Type] = [
        PPO.self,
        SAC.self,
        DoubleDQN.self,
    ]
}

/// An algorithm as it is written: `{ppo: {…}}`.
public struct NamedAlgorithm: Sendable, Codable {
    public var algorithm: any Algorithm

    public init(_ algorithm: any Algorithm) { self.algorithm = algorithm }

    /// The name in the catalogue.
    public var name: String { type(of: algorithm).catalogueEntry.name }

    public init(from decoder: any Decoder) throws {
        algorithm = try decodeNamed(
            decoder, kind: "algorithm", among: AlgorithmCatalogue.all, as: (any Algorithm).self)
    }

    public func encode(to encoder: any Encoder) throws { try encodeNamed(algorithm, to: encoder) }
}
