import Foundation
import PerturbedEquations
import TestSupport
import Testing

/// Each controller's law, alone, against hand-worked or simulated values.
@Suite struct ControllerTests {
    static func factors(_ controller: any Controller, losses: [Double]) -> [Double] {
        var state = ControllerState("test")
        return losses.enumerated().map { step, loss in
            controller.observe(Observation(step: step, loss: loss), &state)
            return state.factor
        }
    }

    @Test func plateau() {
        let patient = Plateau(factor: 0.5, patience: 1, threshold: 0.1, cooldown: 2, window: 1, minimum: 0.2)
        // Best 10; 9.5 and 9.2 are not 10% better; then two windows of cooldown; then again two bad ones.
        #expect(
            Self.factors(patient, losses: [10, 9.5, 9.2, 9.9, 9.9, 9.9, 9.9, 9.9, 9.9, 9.9, 9.9])
                == [1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.2])
        // A better one in between starts the count again.
        #expect(Self.factors(patient, losses: [10, 9.5, 8, 7.9, 7, 6.9]) == [1, 1, 1, 1, 1, 1])
        // Means of windows of three.
        let windows = Plateau(factor: 2, patience: 0, window: 3, maximum: 3)
        #expect(Self.factors(windows, losses: [1, 2, 3, 1, 1, 4, 2, 2, 2]) == [1, 1, 1, 1, 1, 2, 2, 2, 3])
        #expect(
            Self.factors(windows, losses: [1, .nan, 2, 3, .infinity, 2, 2, 2]) == [1, 1, 1, 1, 1, 1, 1, 2])
    }

    @Test func lossImprovement() {
        let controller = LossImprovement(
            rate: 0.1, window: 2, slower: 0.5, faster: 2, minimum: 0.3, maximum: 4)
        // Window means 10, 9, 8.5, 8, 4, 2, 1, 0.5: improvements 10%, 5.6%, 5.9%, 50%…
        let losses = [10, 9, 8.5, 8, 4, 2, 1, 0.5].flatMap { [$0 - 0.25, $0 + 0.25] }
        #expect(
            Self.factors(controller, losses: losses)
                == [1, 1, 1, 2, 2, 1, 1, 0.5, 0.5, 1, 1, 2, 2, 4, 4, 4])
        #expect(
            Self.factors(controller, losses: [1, 1, 1, 1, 1, 1, 1, 1]) == [1, 1, 1, 0.5, 0.5, 0.3, 0.3, 0.3])
    }

    /// On gradients G + ε/√B the factor settles at the source's law.
    @Test(arguments: [ControlledQuantity.learningRate, .sigma])
    func gradientNoiseScale(scales: ControlledQuantity) {
        var random = SeededGenerator()
        let (dimensions, b, whole) = (400, 8.0, 32.0)
        let spread = 0.5  // of one example's gradient, per element
        let gradient = (0..<dimensions).map { sin(Double($0)) / 10 }
        let signal = gradient.reduce(0) { $0 + $1 * $1 }
        let ratio = Double(dimensions) * spread * spread / whole / signal
        let target = 2.5
        let controller = GradientNoiseScale(scales: scales, target: target, smoothing: 0.999)
        var state = ControllerState("test")
        func normal() -> Double {
            (-2 * log(.random(in: 1e-300..<1, using: &random))).squareRoot()
                * cos(2 * .pi * .random(in: 0..<1, using: &random))
        }
        for step in 0..<6000 {
            // The part is in the whole: g_B = (b·g_b + (B − b)·g_rest)/B.
            var (part, all) = (0.0, 0.0)
            for g in gradient {
                let own = g + spread / b.squareRoot() * normal()
                let rest = g + spread / (whole - b).squareRoot() * normal()
                let mean = (b * own + (whole - b) * rest) / whole
                part += own * own
                all += mean * mean
            }
            var observation = Observation(step: step)
            observation.smallBatch = Observation.SmallBatch(
                examples: b, squaredNorm: part, wholeExamples: whole, wholeSquaredNorm: all)
            controller.observe(observation, &state)
            if step < 19 { #expect(state.factor == 1) }
        }
        let expected = scales == .learningRate ? 1 / (1 + ratio) : (1 - ratio / target).squareRoot()
        #expect(
            abs(state.factor / expected - 1) < 0.03,
            "\(state.factor), expected \(expected), seed \(random.seed)")
        #expect(abs(state["noiseScale"] / (ratio * whole) - 1) < 0.05)
    }

    /// A batch that is all noise: no signal to compare with.
    @Test func noSignal() {
        var state = ControllerState("test")
        var observation = Observation(step: 0)
        observation.smallBatch = Observation.SmallBatch(
            examples: 1, squaredNorm: 10, wholeExamples: 2, wholeSquaredNorm: 1)
        GradientNoiseScale(minimumHistory: 1, minimum: 0.25).observe(observation, &state)
        #expect(state.factor == 0.25)
        // The part is the whole: nothing can be told from it.
        observation.smallBatch?.examples = 2
        let before = state
        GradientNoiseScale(minimumHistory: 1).observe(observation, &state)
        #expect(state == before)
    }

    /// Plappert's rule: one step of α at each measurement, in the right direction, and none in between.
    @Test func parameterDistance() {
        let controller = ParameterDistance(target: 0.1, every: 2, rate: 1.5, maximum: 2)
        var state = ControllerState("test")
        func show(_ step: Int, _ distance: Double, cut: Double = 1, bounded: Bool = false) -> Double {
            var observation = Observation(step: step)
            observation.effect = Observation.Effect(
                perturbation: 10 * distance, withoutPerturbation: 1, step: 2, parameters: 10)
            observation.strengthScale = cut
            observation.isBounded = bounded
            controller.observe(observation, &state)
            return state.factor
        }
        #expect(show(0, 0.05) == 1.5)
        #expect(show(1, 0.05) == 1.5, "not measured")
        #expect(show(2, 0.05) == 2, "the maximum")
        #expect(show(4, 0.2) == 2 / 1.5)
        #expect(show(6, 0.08, cut: 0.5) == 2 / 1.5 / 1.5, "a cut target")
        #expect(show(8, 0.05, bounded: true) == 2 / 1.5 / 1.5, "no use in pushing against a bound")
        #expect(ParameterDistance(target: 1).needs(at: 10) == .effect)
        #expect(ParameterDistance(target: 1).needs(at: 11) == [])
    }
}
