import Environments
import PerturbedEquations

/// How many steps a second each environment takes, on one thread: `peo bench environments`.
public struct EnvironmentBenchmark: Sendable {
    public struct Row: Sendable, Codable {
        public let name: String
        public let copies: Int
        /// Steps of single copies per second: the median of five rounds.
        public let stepsPerSecond: Double
    }

    /// How many copies step in one call.
    public var copies: Int
    /// Seconds of each of the five rounds.
    public var seconds: Double

    public init(copies: Int, seconds: Double) {
        self.copies = copies
        self.seconds = seconds
    }

    /// Times random actions, drawn before.
    public func run(_ name: String? = nil) throws -> [Row] {
        try EnvironmentCatalogue.all.map { $0.catalogueEntry.name }.filter { name == nil || $0 == name }.map {
            let environment = try NamedEnvironment(named: $0)
            let vector = try VectorEnvironment(environment.environment, copies: copies, seed: 1)
            return try Row(name: $0, copies: copies, stepsPerSecond: stepsPerSecond(vector))
        }
    }

    private func stepsPerSecond(_ vector: VectorEnvironment) throws -> Double {
        let actions = (0..<64).map { Self.actions(for: vector, key: NoiseKey(seed: $0)) }
        let clock = ContinuousClock()
        let rates = try (0..<5).map { _ in
            var calls = 0
            let start = clock.now
            var elapsed = Duration.zero
            while elapsed < .seconds(seconds) {
                for actions in actions { try vector.step(actions) }
                calls += actions.count
                elapsed = clock.now - start
            }
            return Double(calls * vector.count) / (elapsed / .seconds(1))
        }
        return PairedTiming.median(rates)
    }

    private static func actions(for vector: VectorEnvironment, key: NoiseKey) -> [Float] {
        let size = vector.actionSpace.count
        return (0..<vector.count * size).map { i in
            switch vector.actionSpace {
            case .discrete(let count): Float(key.uniformIndex(below: UInt64(count), UInt64(i)))
            case .continuous(let box):
                // Midpoints and bounds of classic tasks are finite.
                box.low[i % size] + (box.high[i % size] - box.low[i % size])
                    * Float(key.uniformIndex(below: 1025, UInt64(i))) / 1024
            }
        }
    }
}
