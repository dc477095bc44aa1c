import Foundation
import PerturbedEquations
import Testing

/// A gradient that is not finite touches nothing, wherever the bad element is and whatever else is on.
@Suite struct NonFiniteTests {
    static let stabilities = [
        Stability(), Stability(clipValue: 1), Stability(clipNorm: 1),
        Stability(clipValue: 1, clipGlobalNorm: 1),
        Stability(perturbationToGradient: 0.1),
    ]

    @Test(arguments: stabilities.indices, [false, true])
    func float32(_ index: Int, measure: Bool) throws { try check(index, measure, Float.self) }

    @Test(arguments: stabilities.indices, [false, true])
    func float64(_ index: Int, measure: Bool) throws { try check(index, measure, Double.self) }

    private func check<S: EquationScalar>(_ index: Int, _ measure: Bool, _: S.Type) throws {
        let sizes = [1, 70, 10_001]
        let tensors = Tensors<S>(sizes: sizes) { _, i in S(i % 5) }
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(),
            equation: PerturbedEquation(
                rule: RMSProp(momentum: 0.9, centred: true), perturbation: Gaussian(sigma: 0.1),
                stability: Self.stabilities[index]), seed: 1)
        func good() { tensors.setGradient { _, i, theta in theta / 10 + S(i % 3) } }
        good()
        try optimizer.step(tensors.buffers, measure: measure)
        var skipped = 0
        for bad in [S.nan, .infinity, -.infinity, .signalingNaN] {
            for (tensor, size) in sizes.enumerated() {
                for place in Set([0, size / 2, size - 1]) {
                    let before = tensors.bits
                    let state = try optimizer.stateBytes()
                    tensors.setGradient { t, i, _ in t == tensor && i == place ? bad : 0.5 }
                    let report = try optimizer.step(tensors.buffers, measure: measure)
                    skipped += 1
                    #expect(report.outcome == .skippedNonFinite, "\(bad) at \(tensor), \(place)")
                    #expect(tensors.bits == before)
                    #expect(try optimizer.stateBytes() == state)
                    #expect(optimizer.counts.skipped == skipped)
                }
            }
        }
        #expect(optimizer.step == skipped + 1 && optimizer.counts.steps == skipped + 1)
        // The run goes on.
        good()
        let before = tensors.bits
        #expect(try optimizer.step(tensors.buffers).outcome == .applied)
        #expect(tensors.bits != before)
        #expect(tensors.all.joined().allSatisfy { $0.isFinite })
    }

    /// Without the guard the infinity goes through: the guard above is what holds it back.
    @Test func withoutTheGuard() throws {
        var theta: [Float] = [1, 1]
        let optimizer = try PerturbedOptimizer(
            parameters: [ParameterSpec("p", shape: [2])],
            equation: PerturbedEquation(rule: SGD(learningRate: 1), stability: .none), seed: 1)
        try optimizer.step(&theta, gradient: [.infinity, 0])
        #expect(theta == [-.infinity, 1])
        #expect(optimizer.counts.skipped == 0)
    }

    /// Skipped steps pass on the schedules' clock and the noise's address, and not on that of the bias
    /// corrections: the run after a skip equals one whose schedule and noise just miss that step.
    @Test func theClocks() throws {
        var theta = [0.0]
        let optimizer = try PerturbedOptimizer(
            parameters: [ParameterSpec("p", shape: [1], scalar: .float64)],
            equation: PerturbedEquation(
                rule: Adam(learningRate: Scheduled(LinearSchedule(from: 1, to: 0, steps: 10)), epsilon: 0)),
            seed: 1)
        try optimizer.step(&theta, gradient: [.nan])
        try optimizer.step(&theta, gradient: [.nan])
        try optimizer.step(&theta, gradient: [3])
        // The first update of Adam is −η·sign(g), with η(2) = 0.8.
        #expect(abs(theta[0] + 0.8) < 1e-14)
    }
}
