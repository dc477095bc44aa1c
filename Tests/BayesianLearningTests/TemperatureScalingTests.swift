import BayesianLearning
import Foundation
import PerturbedEquations
import TestSupport
import Testing

@Suite struct TemperatureScalingTests {
    /// Of one margin m of scores, right with probability 1/(1 + e⁻ᵐ′): T = m/m′, exactly.
    @Test(arguments: [0.25, 0.5, 1, 2, 8]) func oneMarginInClosedForm(temperature: Double) throws {
        let (right, count) = (37, 50)
        let margin = Float(temperature * log(Double(right) / Double(count - right)))
        let predictions = try ScriptedMembers(
            scores: [[[Float]](repeating: [margin, 0], count: count)],
            targets: (0..<count).map { $0 < right ? 0 : 1 }
        ).predictions()
        let found = try TemperatureScaling(fittedOn: predictions, measuredOn: predictions)
        #expect(abs(found.temperature / temperature - 1) < 1e-5, "\(found.temperature)")
        #expect(found.source == .validation && found.fitted == count && found.reported == count)
        // What is right 74% of the time says 74%.
        #expect(found.after.equalWidthError < 1e-6 && found.after.loss <= found.before.loss + 1e-12)
    }

    /// Labels drawn from softmax(z), scores T·z: T is found, and twice the scores have twice the T.
    @Test func aKnownTemperatureIsFound() throws {
        var random = SeededGenerator()
        let (count, classes, known) = (4000, 4, 2.5)
        let z = (0..<count).map { _ in
            (0..<classes).map { _ in Float.random(in: -2...2, using: &random) }
        }
        let labels = z.map { own -> Int64 in
            let weights = own.map { exp(Double($0)) }
            var left = Double.random(in: 0..<weights.reduce(0, +), using: &random)
            for (label, weight) in weights.enumerated() {
                left -= weight
                if left < 0 { return Int64(label) }
            }
            return Int64(classes - 1)
        }
        func fitted(_ scale: Double) throws -> TemperatureScaling {
            let weights = (0..<classes).map { row in
                (0..<classes).map { $0 == row ? Float(scale) : 0 }
            }
            let predictions = try ScriptedMembers(
                examples: z, targets: labels, classes: classes, weights: [weights]
            ).predictions()
            return try TemperatureScaling(halving: predictions, key: NoiseKey(seed: 1))
        }
        let found = try fitted(known)
        // 2,000 labels: a standard error of about 3%.
        #expect(abs(found.temperature / known - 1) < 0.15, "\(found), seed \(random.seed)")
        #expect(found.source == .half && found.fitted == 2000 && found.reported == 2000)
        #expect(found.after.loss < found.before.loss, "\(found), seed \(random.seed)")
        #expect(
            found.after.equalWidthError < found.before.equalWidthError, "\(found), seed \(random.seed)")
        #expect(abs(try fitted(2 * known).temperature / found.temperature - 2) < 1e-4)
    }

    /// Where all are right the loss falls for ever: T is the least there is.
    @Test func allRight() throws {
        let predictions = try ScriptedMembers(scores: [[[1, 0], [2, 0]]], targets: [0, 0]).predictions()
        let found = try TemperatureScaling(fittedOn: predictions, measuredOn: predictions)
        #expect(found.temperature == TemperatureScaling.range.lowerBound)
        let wrong = try ScriptedMembers(scores: [[[1, 0], [2, 0]]], targets: [1, 1]).predictions()
        #expect(
            try TemperatureScaling(fittedOn: wrong, measuredOn: wrong).temperature
                == TemperatureScaling.range.upperBound)
    }
}
