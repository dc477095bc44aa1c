import Environments
import Foundation
import PerturbedEquations
import ReinforcementLearning
import TestSupport
import Testing
import Torch
import TorchNN

@Suite struct ExplorationTests {
    private static func normals(_ count: Int, _ seed: UInt64) -> [Float] {
        var values = [Float](repeating: 0, count: count)
        var span = values.mutableSpan
        NoiseStream(key: NoiseKey(seed: seed), step: 0, parameter: 0, term: 0).fill(&span, with: .normal)
        return values
    }

    // MARK: gSDE

    @Test func stateDependentNoiseHasTheVarianceThatItSays() throws {
        let seed = SeededGenerator().seed
        let noise = try StateDependentNoise(features: 5, actions: 2, logDeviation: -0.5)
        let logs = Self.normals(10, seed).map { $0 * 0.5 - 0.5 }
        withoutGradients { noise.logDeviation.copy(from: try! Tensor(logs, shape: [5, 2])) }
        let features = Self.normals(5, seed &+ 1)
        let n = 40_000
        let x = try Tensor(features, shape: [1, 5])
        let matrix = noise.matrix(try Tensor(Self.normals(n * 10, seed &+ 2), shape: [n, 5, 2]))
        let drawn = noise.noise(x.expanded([n, 5]), matrix: matrix)
        for action in 0..<2 {
            // Σ φᵢ²·exp(2lᵢⱼ)
            let closed = (0..<5).reduce(0.0) {
                $0 + pow(Double(features[$1]), 2) * exp(2 * Double(logs[2 * $1 + action]))
            }
            let said = noise.variance(x).narrowed(1, to: action..<action + 1).item()
            let seen = drawn.narrowed(1, to: action..<action + 1).squared().mean().item()
            #expect(abs(said - closed - 1e-6) < 1e-5 * closed, "\(said) and \(closed), seed \(seed)")
            // The sample variance of a normal variate has the relative deviation √(2/n) = 0.7%.
            #expect(abs(seen / closed - 1) < 0.04, "\(seen) and \(closed), seed \(seed)")
        }
    }

    @Test func stateDependentNoiseIsHeldAndThenDrawnAnew() throws {
        let noise = try StateDependentNoise(features: 3, actions: 1, logDeviation: 0)
        let held = HeldNoise(
            StateDependentExploration(every: 4), copies: 2, key: NoiseKey(seed: 1))
        let matrices = try (0..<12).map { try held.matrix(at: $0, of: noise).array(of: Float.self) }
        for step in 1..<12 {
            #expect((matrices[step] == matrices[step - 1]) == (step % 4 != 0), "step \(step)")
        }
        // A matrix for each copy; the same state gets the same noise for as long as it is held.
        #expect(Array(matrices[0][..<3]) != Array(matrices[0][3...]))
        let later = HeldNoise(StateDependentExploration(every: 4), copies: 2, key: NoiseKey(seed: 1))
        #expect(try later.matrix(at: 8, of: noise).array(of: Float.self) == matrices[8])
    }

    @Test func theActorsDensityIsThatOfItsVariance() throws {
        let seed = SeededGenerator().seed
        let actor = try StateDependentActor(
            observations: 3, hidden: [6], actions: 2, activation: .tanh, logDeviation: -0.5, seed: seed)
        let x = try Tensor(Self.normals(30, seed), shape: [10, 3])
        let xi = try Tensor(Self.normals(12, seed &+ 1), shape: [6, 2])
        let (actions, density) = actor.sample(x, noise: xi)
        // By hand, from the weights.
        let w = actor.parameters.map { $0.tensor.detached() }
        let features = x.linear(w[0], w[1]).tanh()
        let mean = features.linear(w[2], w[3])
        let u = mean + features.matmul(w[4].exp() * xi)
        let variance = features.squared().matmul((w[4] * 2).exp()) + 1e-6
        let logs = (u - mean).squared() / variance * -0.5 - variance.log() * 0.5 - 0.5 * log(2 * Double.pi)
        let squash = (u.tanh().squared() * -1 + 1).log()
        let expected = try (logs - squash).sum(along: 1).array(of: Float.self)
        for (a, b) in zip(try density.array(of: Float.self), expected) {
            #expect(abs(a - b) < 1e-4 * max(1, abs(b)), "\(a) and \(b), seed \(seed)")
        }
        #expect((actions - u.tanh()).absolute().max().item() < 1e-6)
    }

    // MARK: Ornstein and Uhlenbeck

    @Test func theProcessHasItsStationaryVariance() throws {
        let seed = SeededGenerator().seed
        let settings = OrnsteinUhlenbeck(sigma: 0.1, friction: 2, timeStep: 0.1)
        let copies = 200
        let process = settings.makeProcess(copies: copies, actionSize: 1, key: NoiseKey(seed: seed))
        var squares = 0.0
        var products = 0.0
        var actions = [Float](repeating: 0, count: copies)
        var last = process.memory
        for step in 0..<2000 {
            actions = [Float](repeating: 0, count: copies)
            process.add(to: &actions, step: step)
            // |x| stays far below 1, where the action would be clipped.
            #expect(zip(actions, process.memory).allSatisfy { abs(Double($0) - $1) < 1e-6 })
            if step >= 100 {
                squares += process.memory.reduce(0) { $0 + $1 * $1 }
                products += zip(process.memory, last).reduce(0) { $0 + $1.0 * $1.1 }
            }
            last = process.memory
        }
        let variance = squares / Double(copies * 1900)
        // σ²Δ/(1 − (1 − κΔ)²) = σ²/(κ(2 − κΔ))
        let closed = 0.01 / (2 * (2 - 0.2))
        #expect(abs(variance / closed - 1) < 0.03, "\(variance) and \(closed), seed \(seed)")
        #expect(abs(products / squares - 0.8) < 0.01, "\(products / squares), seed \(seed)")
        process.begin(copy: 7)
        #expect(process.memory[7] == 0 && process.memory[6] == last[6])
    }

    // MARK: Parameter noise

    @Test(arguments: [0.02, 3.0]) func parameterNoiseFindsTheDistanceThatIsWanted(_ start: Double) throws {
        let seed = SeededGenerator().seed
        func network() throws -> Perceptron { try Perceptron([4, 32, 2], activation: .tanh, seed: 9) }
        let copy = try NoisyCopy(
            ParameterNoise(sigma: start, target: 0.3, factor: 1.05), of: network(), key: NoiseKey(seed: seed),
            make: network)
        let x = try Tensor(Self.normals(4 * 256, 1), shape: [256, 4])
        var distances: [Double] = []
        for step in 0..<400 {
            copy.adapt(at: step) { a, b in
                (a.forward(x, .evaluation) - b.forward(x, .evaluation)).squared().mean().squareRoot().item()
            }
            distances.append(try #require(copy.distance))
        }
        let mean = distances.suffix(200).reduce(0, +) / 200
        #expect(abs(mean - 0.3) < 0.05, "\(mean), σ = \(copy.sigma), seed \(seed)")
        let first = distances.prefix(5).reduce(0, +) / 5
        #expect(start < 0.1 ? first < 0.15 : first > 1, "\(first)")
    }

    @Test func aNoisyCopyStaysUntilItIsDrawnAnew() throws {
        let source = try Perceptron([4, 2], activation: .relu, seed: 9)
        let copy = try NoisyCopy(ParameterNoise(sigma: 0.1), of: source, key: NoiseKey(seed: 3)) {
            try Perceptron([4, 2], activation: .relu, seed: 1)
        }
        func weights(_ module: any Module) throws -> [Float] {
            try module.parameters.flatMap { try $0.tensor.array(of: Float.self) }
        }
        copy.draw()
        let (base, first) = (try weights(source), try weights(copy.network))
        let noise = zip(first, base).map { Double($0 - $1) / 0.1 }
        #expect(noise.allSatisfy { $0 != 0 && abs($0) < 7 } && noise.count == 10)
        withoutGradients { source.parameters[0].tensor.fillInPlace(0) }
        copy.adapt(at: 0) { _, _ in 1 }
        #expect(try weights(copy.network) == first)
        copy.draw()
        #expect(try weights(copy.network) != first)
    }

    // MARK: Configurations

    @Test(arguments: ExplorationCatalogue.all.indices) func theCatalogueSaysWhatIsRead(_ index: Int) throws {
        let type = ExplorationCatalogue.all[index]
        let entry = type.catalogueEntry
        let value = try JSONDecoder().decode(NamedExploration.self, from: JSONEncoder().encode(entry.name))
        let text = try JSONEncoder().encode(value)
        let object = try #require(JSONSerialization.jsonObject(with: text) as? [String: [String: Any]])
        #expect(
            Set(object[entry.name, default: [:]].keys) == Set(entry.parameters.map(\.name)), "\(entry.name)")
        #expect(!entry.source.isEmpty && !entry.equation.isEmpty)
        try value.exploration.validate()
    }
}
