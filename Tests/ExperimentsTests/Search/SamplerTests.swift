import Experiments
import Foundation
import PerturbedEquations
import TestSupport
import Testing

/// What proposes trials: Sobol's sequence, and the estimator that learns from them.
@Suite struct SamplerTests {
    /// Number by number SciPy's, in every dimension that there is.
    @Test func sobolIsSciPys() throws {
        let script = """
            import json
            from scipy.stats import qmc
            points = qmc.Sobol(d=32, scramble=False, bits=32).random(256)
            print(json.dumps([[int(x * 2**32) for x in point] for point in points]))
            """
        let expected = try JSONDecoder().decode(
            [[UInt32]].self, from: Data(try ParityPython.run(script, with: "scipy").utf8))
        let sequence = SobolSequence(dimensions: SobolSequence.mostDimensions)
        #expect(SobolSequence.mostDimensions == 32)
        for (index, point) in expected.enumerated() {
            #expect(sequence.words(of: UInt32(index)) == point, "point \(index)")
        }
    }

    /// The shift leaves the boxes: of 2⁶ points one is in each of the 64 boxes of every cut of two dimensions.
    @Test func shiftedPointsAreAsEven() {
        let sampler = SobolSampler(dimensions: 2, key: NoiseKey(seed: 7))
        let points = (0..<64).map { sampler.point(ofTrial: $0, seen: []) }
        for bits in 0...6 {
            let (rows, columns) = (1 << bits, 1 << (6 - bits))
            let boxes = Set(points.map { Int($0[0] * Double(rows)) * columns + Int($0[1] * Double(columns)) })
            #expect(boxes.count == 64, "\(rows) × \(columns)")
        }
        #expect(points[0] != [0, 0], "it is not shifted")
    }

    /// A density is one: it integrates to 1 over the cube, numbers and choices alike, and its draws follow it.
    @Test func densitiesIntegrateToOne() {
        let density = ParzenDensity([[0.02, 0.9], [0.4, 0.1], [0.99, 0.5]], choices: [nil, 3])
        let steps = 600
        var (total, mean) = (0.0, 0.0)
        for i in 0..<steps {
            for choice in 0..<3 {
                let x = (Double(i) + 0.5) / Double(steps)
                let mass = exp(density.logDensity([x, (Double(choice) + 0.5) / 3])) / Double(steps * 3)
                total += mass
                mean += mass * x
            }
        }
        #expect(abs(total - 1) < 1e-3, "\(total)")
        let key = NoiseKey(seed: 3)
        let drawn = (0..<20_000).map { density.draw(key.derived(UInt64($0))) }
        #expect(drawn.allSatisfy { $0.allSatisfy { (0.0...1).contains($0) } })
        let found = drawn.reduce(0) { $0 + $1[0] } / Double(drawn.count)
        // The deviation of a number in [0, 1] is ½ at most: five standard errors.
        #expect(abs(found - mean) < 5 * 0.5 / Double(drawn.count).squareRoot(), "\(found), \(mean)")
        for choice in 0..<3 {
            let share = Double(drawn.count { Int($0[1] * 3) == choice }) / Double(drawn.count)
            let expected = (0..<steps).reduce(0.0) {
                $0 + exp(
                    density.logDensity([(Double($1) + 0.5) / Double(steps), (Double(choice) + 0.5) / 3]))
                    / Double(steps * 3)
            }
            #expect(
                abs(share - expected) < 5 * 0.5 / Double(drawn.count).squareRoot(), "\(share), \(expected)")
        }
    }

    /// On a bowl with a choice that matters, what learns from its trials ends nearer than what does not.
    @Test func theEstimatorLearns() {
        func best(_ method: (NoiseKey) -> any PointSampler, seed: UInt64) -> Double {
            let sampler = method(NoiseKey(seed: seed))
            var seen: [SeenPoint] = []
            for trial in 0..<60 {
                let point = sampler.point(ofTrial: trial, seen: seen)
                let choice = Int(point[2] * 4)
                let loss = pow(point[0] - 0.3, 2) + pow(point[1] - 0.8, 2) + (choice == 2 ? 0 : 0.1)
                seen.append(SeenPoint(point: point, loss: loss))
                seen.sort { $0.loss < $1.loss }
            }
            return seen[0].loss
        }
        let seeds = (1...20).map { UInt64($0) }
        let random = seeds.map { best({ RandomSampler(dimensions: 3, key: $0) }, seed: $0) }
        let learnt = seeds.map { best({ TreeParzenSampler(choices: [nil, nil, 4], key: $0) }, seed: $0) }
        let wins = zip(learnt, random).count { $0 < $1 }
        #expect(wins >= 16, "better for \(wins) of 20 seeds")
        #expect(learnt.reduce(0, +) < random.reduce(0, +) / 2)
    }

    /// A point is a function of the key, the trial and what was seen.
    @Test func pointsAreAddressed() {
        let seen = (0..<20).map { SeenPoint(point: [Double($0) / 20, 0.5], loss: Double($0)) }
        let one = TreeParzenSampler(choices: [nil, nil], key: NoiseKey(seed: 1))
        #expect(one.point(ofTrial: 20, seen: seen) == one.point(ofTrial: 20, seen: seen))
        #expect(one.point(ofTrial: 20, seen: seen) != one.point(ofTrial: 21, seen: seen))
        let other = TreeParzenSampler(choices: [nil, nil], key: NoiseKey(seed: 2))
        #expect(one.point(ofTrial: 20, seen: seen) != other.point(ofTrial: 20, seen: seen))
    }
}
