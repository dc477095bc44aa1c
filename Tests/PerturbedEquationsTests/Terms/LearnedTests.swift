import Foundation
import PerturbedEquations
import Testing

/// Noise that learns its strength, on problems of which the best strength is known.
@Suite struct LearnedTests {
    /// θ ← −η·δ: the noise alone, from 0.
    struct Scatter: UpdateRule {
        static let catalogueEntry = CatalogueEntry(
            name: "scatter", summary: "θ ← −η·δ", equation: "θ ← −η·δ", parameters: [], source: "")
        var learningRate: Scheduled = 0.5
        var stateNames: [String] { [] }

        func update(_ block: UpdateBlock<Float>, at time: RuleTime) { scatter(block, time) }
        func update(_ block: UpdateBlock<Double>, at time: RuleTime) { scatter(block, time) }

        private func scatter<S: EquationScalar>(_ block: UpdateBlock<S>, _ time: RuleTime) {
            for i in block.parameters.indices {
                block.parameters[i] = -S(learningRate.value(at: time.step)) * (block.delta?[i] ?? 0)
            }
        }
    }

    static func factor(_ optimizer: PerturbedOptimizer) throws -> [Double] {
        try #require(optimizer.scalars.termMemory).map { exp($0[0]) }
    }

    /// L = ¼(x² − 1)² at x = −ησξ: E[L] = ¼(3s⁴ − 2s² + 1) with s = ησ is least at s² = 1/3, from below and above, for
    /// a strength per tensor and per group.
    @Test(arguments: Learned.Scope.allCases, [0.2, 4.0])
    func findsTheBestStrength(_ scope: Learned.Scope, _ start: Double) throws {
        let tensors = Tensors<Float>(sizes: [400, 300]) { _, _ in 0 }
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(),
            equation: PerturbedEquation(
                rule: Scatter(),
                perturbation: Learned(
                    sigma: .absolute(Scheduled(start)), rate: 0.02, minimum: 0.001, maximum: 1000, over: scope
                )),
            seed: 7)
        var found: [[Double]] = []
        for step in 0..<3000 {
            tensors.setGradient { _, _, x in x * x * x - x }
            let report = try optimizer.step(tensors.buffers)
            if step >= 2000 { found.append(try Self.factor(optimizer)) }
            #expect(report.sigma != nil)
        }
        for tensor in 0..<2 {
            let mean = found.reduce(0) { $0 + $1[tensor] } / Double(found.count) * start * 0.5
            #expect(abs(mean - 1 / 3.0.squareRoot()) < 0.03, "\(scope) from \(start): s = \(mean)")
        }
        if scope == .group { #expect(found.allSatisfy { $0[0] == $0[1] }) }
    }

    /// On a convex quadratic noise only harms: f falls to its minimum and stays, with SGD and with Adam.
    @Test(arguments: [0, 1])
    func vanishesWhereNoiseHarms(_ which: Int) throws {
        let rule: any UpdateRule = which == 0 ? SGD(learningRate: 0.3) : Adam(learningRate: 0.05)
        let tensors = Tensors<Float>(sizes: [500, 200]) { _, i in 1 + Float(i % 3) }
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(),
            equation: PerturbedEquation(
                rule: rule, perturbation: Learned(sigma: 0.5, rate: 0.02, minimum: 0.01)),
            seed: 9)
        for _ in 0..<4000 {
            tensors.setGradient { _, i, theta in theta * (1 + Float(i % 5)) }
            try optimizer.step(tensors.buffers)
        }
        for f in try Self.factor(optimizer) { #expect(f < 0.05, "rule \(which): f = \(f)") }
    }

    /// Where noise always helps (L = −½‖θ‖², held near 0) f grows to its maximum.
    @Test func growsWhereNoiseHelps() throws {
        let tensors = Tensors<Float>(sizes: [500]) { _, _ in 0 }
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(),
            equation: PerturbedEquation(
                rule: Scatter(), perturbation: Learned(sigma: 0.1, rate: 0.05, maximum: 3)), seed: 9)
        for _ in 0..<300 {
            tensors.setGradient { _, _, theta in -theta }
            try optimizer.step(tensors.buffers)
        }
        #expect(abs(try Self.factor(optimizer)[0] - 3) < 1e-9)
    }

    /// Steps that say nothing of the noise before change nothing: the first one, one after a rate of zero, and of a
    /// tensor that was left out.
    @Test func learnsOnlyFromItsOwnNoise() throws {
        let tensors = Tensors<Float>(sizes: [50, 50]) { _, _ in 1 }
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(),
            equation: PerturbedEquation(
                rule: SGD(learningRate: Scheduled(PiecewiseSchedule([0.1, 0, 0.1], boundaries: [2, 3]))),
                perturbation: Learned(sigma: 0.1, rate: 0.1)), seed: 9)
        var logs: [[Double]] = [[0, 0]]
        for step in 0..<6 {
            tensors.hasGradient = [true, step != 4]
            tensors.setGradient { _, _, theta in theta }
            try optimizer.step(tensors.buffers)
            logs.append(try #require(optimizer.scalars.termMemory).map { $0[0] })
        }
        func moved(_ tensor: Int) -> [Bool] { (0..<6).map { logs[$0][tensor] != logs[$0 + 1][tensor] } }
        // Step 2 is taken with η = 0, so that step 3 learns nothing of it.
        #expect(moved(0) == [false, true, true, false, true, true])
        // Tensor 1 is left out of step 4; step 5 still sees the noise of step 3, its last update.
        #expect(moved(1) == [false, true, true, false, false, true])
    }
}
