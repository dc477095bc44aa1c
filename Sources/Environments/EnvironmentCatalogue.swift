import Foundation
import PerturbedEquations

/// The environments that a configuration can name.
///
/// To add one: its own file, and a line here.
public enum EnvironmentCatalogue {
    public static let all: [any Environment.Type] = [
        CartPole.self,
        Acrobot.self,
        MountainCar.self,
        MountainCarContinuous.self,
        Pendulum.self,
        NChain.self,
    ]
}

/// An environment as it is written: `CartPole-v1`, or `{NChain: {length: 30}}`.
public struct NamedEnvironment: Sendable, Codable {
    public var environment: any Environment

    public init(_ environment: any Environment) {
        self.environment = environment
    }

    /// The name in the catalogue.
    public var name: String { type(of: environment).catalogueEntry.name }

    /// One of the catalogue, with default settings.
    /// - Throws: `ConfigurationError` with the nearest name and all names, if there is none of that name.
    public init(named name: String) throws {
        self = try JSONDecoder().decode(Self.self, from: JSONEncoder().encode(name))
    }

    public init(from decoder: any Decoder) throws {
        environment = try decodeNamed(
            decoder, kind: "environment", among: EnvironmentCatalogue.all, as: (any Environment).self)
    }

    public func encode(to encoder: any Encoder) throws {
        try encodeNamed(environment, to: encoder)
    }
}
