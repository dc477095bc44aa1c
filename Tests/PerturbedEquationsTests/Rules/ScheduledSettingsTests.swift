import Foundation
import PerturbedEquations
import Testing

/// Every scalar setting of a rule may be a schedule, and acts at the step it says.
@Suite struct ScheduledSettingsTests {
    static let gradients: [Double] = (0..<30).map { 1.5 + sin(Double($0) * 1.7) }

    /// θ after each step from 0 with the given gradients.
    static func path(_ rule: any UpdateRule) throws -> [Double] {
        var theta = [0.0]
        let optimizer = try PerturbedOptimizer(
            parameters: [ParameterSpec("p", shape: [1], scalar: .float64)],
            equation: PerturbedEquation(rule: rule), seed: 1)
        return try gradients.map { g in
            try optimizer.step(&theta, gradient: [g])
            return theta[0]
        }
    }

    static func expect(_ path: [Double], _ theory: [Double], _ what: String) {
        for (step, (a, b)) in zip(path, theory).enumerated() {
            #expect(abs(a - b) <= 1e-13 * (1 + abs(b)), "\(what), step \(step): \(a), theory \(b)")
        }
    }

    static let beta1 = Scheduled(LinearSchedule(from: 0.5, to: 0.95, steps: 20))
    static let beta2 = Scheduled(CosineSchedule(from: 0.9, to: 0.99, steps: 20))
    static let epsilon = Scheduled(ExponentialSchedule(from: 0.1, factor: 0.8))

    /// m̂ is the weighted mean of the gradients, with weights that sum to one: of a constant gradient it is
    /// that gradient whatever β did, so that Adam moves by exactly η.
    @Test func adamsMeansStayMeans() throws {
        for rule: any UpdateRule in [
            Adam(learningRate: 0.25, beta1: Self.beta1, beta2: Self.beta2, epsilon: 0),
            AdamW(learningRate: 0.25, beta1: Self.beta1, beta2: 0.9, epsilon: 0, weightDecay: 0),
        ] {
            var theta = [0.0]
            let optimizer = try PerturbedOptimizer(
                parameters: [ParameterSpec("p", shape: [1], scalar: .float64)],
                equation: PerturbedEquation(rule: rule), seed: 1)
            for step in 1...30 {
                try optimizer.step(&theta, gradient: [3])
                #expect(abs(theta[0] + 0.25 * Double(step)) < 1e-12, "step \(step)")
            }
        }
    }

    @Test func adam() throws {
        var (theta, m, v, first, second) = (0.0, 0.0, 0.0, 1.0, 1.0)
        let theory = Self.gradients.enumerated().map { step, g -> Double in
            let (b1, b2) = (Self.beta1.value(at: step), Self.beta2.value(at: step))
            m = b1 * m + (1 - b1) * g
            v = b2 * v + (1 - b2) * g * g
            first *= b1
            second *= b2
            theta -= 0.1 * m / (1 - first) / ((v / (1 - second)).squareRoot() + Self.epsilon.value(at: step))
            return theta
        }
        Self.expect(
            try Self.path(
                Adam(learningRate: 0.1, beta1: Self.beta1, beta2: Self.beta2, epsilon: Self.epsilon)),
            theory, "adam")
    }

    @Test func sgd() throws {
        let dampening = Scheduled(LinearSchedule(from: 0.5, to: 0, steps: 20))
        var (theta, b) = (0.0, 0.0)
        let theory = Self.gradients.enumerated().map { step, g -> Double in
            b = step == 0 ? g : Self.beta1.value(at: step) * b + (1 - dampening.value(at: step)) * g
            theta -= 0.1 * b
            return theta
        }
        Self.expect(
            try Self.path(SGD(learningRate: 0.1, momentum: Self.beta1, dampening: dampening)), theory, "sgd")
    }

    /// The momentum passes through 0, where the buffer must go on.
    @Test func rmsProp() throws {
        let momentum = Scheduled(StepSchedule(from: 0.8, factor: 0.5, every: 3)).then(at: 9, 0).then(
            at: 15, 0.7)
        var (theta, s, a, b) = (0.0, 0.0, 0.0, 0.0)
        let theory = Self.gradients.enumerated().map { step, g -> Double in
            let alpha = Self.beta2.value(at: step)
            s = alpha * s + (1 - alpha) * g * g
            a = alpha * a + (1 - alpha) * g
            b = momentum.value(at: step) * b + g / ((s - a * a).squareRoot() + Self.epsilon.value(at: step))
            theta -= 0.01 * b
            return theta
        }
        Self.expect(
            try Self.path(
                RMSProp(
                    learningRate: 0.01, alpha: Self.beta2, epsilon: Self.epsilon, momentum: momentum,
                    centred: true)), theory, "rmsProp")
    }
}
