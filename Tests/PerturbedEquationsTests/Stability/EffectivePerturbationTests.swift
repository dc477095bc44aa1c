import Foundation
import PerturbedEquations
import Testing

/// ‖ηD(g+δ) − ηD(g)‖/‖ηD(g)‖, measured on copies: right, and without a trace in the run.
@Suite struct EffectivePerturbationTests {
    static func step<S: EquationScalar>(
        _ rule: any UpdateRule, _ terms: [any Perturbation], effect: Bool, steps: Int = 3, _: S.Type
    ) throws -> (theta: [[S]], bits: [[UInt64]], state: [String: [UInt8]], report: StepReport) {
        let tensors = Tensors<S>(sizes: [3, 40_000]) { _, i in S(sin(Double(i))) }
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(), equation: PerturbedEquation(rule: rule, perturbation: terms), seed: 2
        )
        optimizer.reportsEffectivePerturbation = effect
        var report: StepReport?
        for _ in 0..<steps {
            tensors.setGradient { _, i, theta in theta / 2 + S(cos(Double(i))) }
            report = try optimizer.step(tensors.buffers, measure: true)
        }
        return (tensors.all, tensors.bits, try optimizer.stateBytes(), try #require(report))
    }

    /// For SGD the rule cancels: it is ‖δ‖/‖g‖.
    @Test func sgd() throws {
        for terms in [[Gaussian(sigma: 0.3)], [GradientScaled(alpha: 0.5)], []] as [[any Perturbation]] {
            let report = try Self.step(SGD(learningRate: 0.01), terms, effect: true, Double.self).report
            let effective = try #require(report.effectivePerturbation)
            #expect(abs(effective - report.perturbationToGradient!) < 1e-9)
        }
    }

    /// For Adam at its first step, Δ = η·sign(ĝ): twice the root of the share of signs that the noise turns.
    @Test func adamsFirstStep() throws {
        let adam = Adam(learningRate: 0.01, epsilon: 0)
        let with = try Self.step(adam, [Gaussian(sigma: 1)], effect: true, steps: 1, Double.self)
        let without = try Self.step(adam, [], effect: true, steps: 1, Double.self)
        let turned = zip(with.theta.joined(), without.theta.joined()).filter { abs($0 - $1) > 0.01 }.count
        let expected = 2 * (Double(turned) / 40_003).squareRoot()
        #expect(turned > 1000 && abs(with.report.effectivePerturbation! - expected) < 1e-9)
        #expect(without.report.effectivePerturbation == 0)
    }

    /// Measuring leaves no trace.
    @Test func noTrace() throws {
        for rule in [AdamW(), RMSProp(momentum: 0.9, centred: true), SGD(learningRate: 0.1, momentum: 0.9)]
            as [any UpdateRule]
        {
            let measured = try Self.step(rule, [Gaussian(sigma: 0.1)], effect: true, Float.self)
            let plain = try Self.step(rule, [Gaussian(sigma: 0.1)], effect: false, Float.self)
            #expect(measured.bits == plain.bits && measured.state == plain.state)
            #expect(plain.report.effectivePerturbation == nil)
            #expect(measured.report.effectivePerturbation! > 0)
        }
    }
}
