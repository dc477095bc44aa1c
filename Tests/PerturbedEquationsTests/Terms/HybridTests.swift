import Foundation
import PerturbedEquations
import Testing

/// Mixture, Alternating and Curriculum.
@Suite struct HybridTests {
    static func sigmas(_ term: any Perturbation, steps: Int, seed: UInt64 = 6) throws -> [Double?] {
        try CompositeTests.run([term], steps: steps, seed: seed).1
    }

    @Test func alternating() throws {
        let term = Alternating([Gaussian(sigma: 1), Laplace(sigma: 2), Uniform(sigma: 3)], every: 2)
        #expect(try Self.sigmas(term, steps: 9) == [1, 1, 2, 2, 3, 3, 1, 1, 2])
    }

    @Test func curriculum() throws {
        let term = Curriculum([
            .init(from: 1, Gaussian(sigma: 1)), .init(from: 3, nil), .init(from: 4, Laplace(sigma: 2)),
        ])
        #expect(try Self.sigmas(term, steps: 6) == [nil, 1, 1, nil, 2, 2])
    }

    @Test func mixtureOfWeights() throws {
        let weight = Scheduled(LinearSchedule(from: 1, to: 0, steps: 4))
        let term = Mixture([
            .init(Gaussian(sigma: 1), weight: weight), .init(Adaptive(alpha: 1, .sign), weight: 0.5),
        ])
        #expect(try Self.sigmas(term, steps: 5) == [1, 0.75, 0.5, 0.25, nil])
    }

    /// One part per step, by weight; the choice depends on the seed and the step alone.
    @Test func mixtureOfDraws() throws {
        let term = Mixture(
            [
                .init(Gaussian(sigma: 1), weight: 3), .init(Gaussian(sigma: 2), weight: 0),
                .init(Gaussian(sigma: 3), weight: 1),
            ], draw: true)
        let steps = 2000
        let sigmas = try Self.sigmas(term, steps: steps)
        let first = sigmas.count { $0 == 1 }
        #expect(first + sigmas.count { $0 == 3 } == steps)
        #expect(abs(Double(first) - 1500) < 5 * 375.0.squareRoot())
        #expect(try Self.sigmas(term, steps: 50) == Array(sigmas[..<50]))
        #expect(try Self.sigmas(term, steps: 50, seed: 7) != Array(sigmas[..<50]))
    }

    /// Two mixtures draw independently of each other.
    @Test func drawsAreIndependent() throws {
        func coin(_ name: Double) -> Mixture {
            Mixture(
                [
                    .init(Gaussian(sigma: .init(floatLiteral: name)), weight: 1),
                    .init(Anchor(strength: 1), weight: 1),
                ],
                draw: true)
        }
        let one = try Self.sigmas(coin(1), steps: 200)
        let both = try CompositeTests.run([Gaussian(sigma: 0), coin(1)], steps: 200).1
        // The only composite is the same one, wherever it stands.
        #expect(both == one)
        let second = try CompositeTests.run([coin(0), coin(1)], steps: 200).1
        #expect(second != one)
    }

    /// Read from a configuration, errors name the culprit within.
    @Test func configuration() throws {
        func path(_ text: String) -> String? {
            do {
                let equation = try JSONDecoder().decode(
                    PerturbedEquation.self,
                    from: Data(
                        #"{"rule": {"sgd": {"learningRate": 0.1}}, "perturbation": [\#(text)]}"#.utf8))
                try equation.validate()
                return nil
            } catch { return (error as? ConfigurationError)?.path }
        }
        #expect(
            path(
                #"{"alternating": {"terms": [{"gaussian": {"sigma": 1}}, {"curriculum": {"phases": []}}]}}"#)?
                .hasSuffix("curriculum.phases") == true)
        let wrong = Alternating([Mixture([.init(Gaussian(sigma: -1), weight: 1)])])
        let error = #expect(throws: ConfigurationError.self) {
            try PerturbedEquation(rule: SGD(learningRate: 1), perturbation: wrong).validate()
        }
        #expect(error?.path == "perturbation.0.alternating.terms.0.mixture.parts.0.term.gaussian.sigma")
        let negative = Mixture([.init(Gaussian(sigma: 1), weight: -1)], draw: true)
        #expect(throws: ConfigurationError.self) { try negative.validate() }
        try Mixture([.init(Gaussian(sigma: 1), weight: -1)]).validate()
        // Of weights that are all 0, or whose sum overflows, nothing can be drawn.
        for (weights, sum) in [([0.0, 0], "0.0"), ([1e308, 1e308], "inf")] {
            let mixture = Mixture(
                weights.map { .init(Gaussian(sigma: 1), weight: Scheduled($0)) }, draw: true)
            let error = #expect(throws: ConfigurationError.self) { try mixture.validate() }
            #expect(error?.path == "parts" && error?.message.contains("sum is \(sum);") == true)
        }
        let late = Scheduled(PiecewiseSchedule([0, 1], boundaries: [5]))
        try Mixture([.init(Gaussian(sigma: 1), weight: late)], draw: true).validate()
        let rising = Scheduled(LinearSchedule(from: 0, to: 1))
        let drawn = Mixture([.init(Gaussian(sigma: 1), weight: rising)], draw: true)
        try drawn.validate()
        _ = try PerturbedOptimizer(
            parameters: [], equation: PerturbedEquation(rule: SGD(learningRate: 1), perturbation: drawn),
            seed: 1, horizon: 10)
        let phases = Curriculum([.init(from: 3, nil), .init(from: 3, nil)])
        let order = #expect(throws: ConfigurationError.self) { try phases.validate() }
        #expect(order?.path == "phases.1.from")
        let last = Curriculum([.init(from: .max, nil), .init(from: 5, nil)])
        let never = #expect(throws: ConfigurationError.self) { try last.validate() }
        #expect(never?.path == "phases.1.from" && never?.message.contains("> \(Int.max)") == true)
        // A schedule without a length inside is filled in like any other.
        let open = Mixture([.init(Gaussian(sigma: 1), weight: Scheduled(LinearSchedule(from: 1, to: 0)))])
        #expect(throws: ConfigurationError.self) {
            _ = try PerturbedOptimizer(
                parameters: [], equation: PerturbedEquation(rule: SGD(learningRate: 1), perturbation: open),
                seed: 1)
        }
        _ = try PerturbedOptimizer(
            parameters: [], equation: PerturbedEquation(rule: SGD(learningRate: 1), perturbation: open),
            seed: 1,
            horizon: 10)
    }
}
