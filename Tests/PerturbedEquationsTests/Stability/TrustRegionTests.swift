import Foundation
import PerturbedEquations
import TestSupport
import Testing

/// ‖θ(t+1) − θ(t)‖ ≤ τ·max(‖θ(t)‖, ε√n) for each tensor, for any rule; not a bit changes where it does not bind.
@Suite struct TrustRegionTests {
    static let rules: [any UpdateRule] = [
        SGD(learningRate: 0.3), SGD(learningRate: 0.3, momentum: 0.9, nesterov: true),
        Adam(learningRate: 0.1, amsgrad: true), AdamW(learningRate: 0.1, weightDecay: 0.5),
        RMSProp(learningRate: 0.1, momentum: 0.9, centred: true),
    ]

    /// Some steps with noise; the last one from θ and state that do not depend on the region.
    static func run<S: EquationScalar>(
        _ rule: any UpdateRule, _ region: TrustRegion?, from: Int, _: S.Type
    ) throws -> (
        before: [[S]], after: [[S]], bits: [[UInt64]], state: [String: [UInt8]], StepReport, StabilityCounts
    ) {
        let tensors = Tensors<S>(sizes: [7, 5000, 40_000]) { tensor, i in
            tensor == 0 ? 0 : S(sin(Double(i)))
        }
        func optimizer(_ region: TrustRegion?) throws -> PerturbedOptimizer {
            try PerturbedOptimizer(
                parameters: tensors.specs(),
                equation: PerturbedEquation(
                    rule: rule, perturbation: Gaussian(sigma: .relative(0.5)),
                    stability: Stability(clipGlobalNorm: 10, trustRegion: region)),
                seed: 5, engine: Engine(parallel: .dispatch(threads: 2), blockSize: 1024))
        }
        func gradient() { tensors.setGradient { _, i, theta in theta + S(cos(Double(i))) } }
        let first = try optimizer(nil)
        for _ in 0..<from {
            gradient()
            try first.step(tensors.buffers)
        }
        let directory = try TemporaryDirectory()
        try first.saveState(to: directory.file("s"))
        let second = try optimizer(region)
        try second.loadState(from: directory.file("s"))
        let before = tensors.all
        gradient()
        let report = try second.step(tensors.buffers, measure: true)
        return (before, tensors.all, tensors.bits, try second.stateBytes(), report, second.counts)
    }

    @Test(arguments: rules.indices)
    func bindsAndScales(_ index: Int) throws {
        let rule = Self.rules[index]
        for from in [0, 3] {
            let free = try Self.run(rule, nil, from: from, Double.self)
            let tight = try Self.run(rule, TrustRegion(ratio: 0.001, floor: 0.1), from: from, Double.self)
            #expect(tight.before == free.before)
            var smallest = 1.0
            for t in free.before.indices {
                func norm(_ x: [Double]) -> Double { x.reduce(0) { $0 + $1 * $1 }.squareRoot() }
                let step = zip(free.after[t], free.before[t]).map { $0 - $1 }
                let limit = 0.001 * max(norm(free.before[t]), 0.1 * Double(step.count).squareRoot())
                let scale = min(1, limit / norm(step))
                smallest = min(smallest, scale)
                for (i, value) in tight.after[t].enumerated() {
                    #expect(abs(value - (free.before[t][i] + scale * step[i])) < 1e-14, "\(rule)")
                }
            }
            #expect(smallest < 1 && abs(tight.4.trustScale - smallest) < 1e-12)
            #expect(tight.5.trustLimited == 1)
            // The state advances as without it.
            #expect(tight.state == free.state)
        }
    }

    @Test(arguments: rules.indices)
    func looseIsBitIdentical(_ index: Int) throws {
        let free = try Self.run(Self.rules[index], nil, from: 3, Float.self)
        let loose = try Self.run(Self.rules[index], TrustRegion(ratio: 100), from: 3, Float.self)
        #expect(free.bits == loose.bits && free.state == loose.state)
        #expect(loose.4.trustScale == 1 && loose.5.trustLimited == 0)
        #expect(free.4.perturbationNorm == loose.4.perturbationNorm)
    }

    /// An update that overflows is refused before θ or the state is touched.
    @Test func anInfiniteStep() throws {
        var theta: [Float] = [1, 2]
        let optimizer = try PerturbedOptimizer(
            parameters: [ParameterSpec("p", shape: [2])],
            equation: PerturbedEquation(
                rule: SGD(learningRate: 1e30, momentum: 0.5),
                stability: Stability(trustRegion: TrustRegion(ratio: 0.1))),
            seed: 1)
        #expect(try optimizer.step(&theta, gradient: [1e30, 0]).outcome == .skippedNonFinite)
        #expect(theta == [1, 2] && optimizer.counts.overflowed == 1 && optimizer.counts.skipped == 1)
        #expect(try optimizer.stateBytes().values.allSatisfy { $0.allSatisfy { $0 == 0 } })
        #expect(try optimizer.step(&theta, gradient: [1, 0]).outcome == .applied)
        #expect(abs(theta[0] - (1 - 0.1 * 5.0.squareRoot().float)) < 1e-6 && theta[1] == 2)
    }
}

extension Double {
    fileprivate var float: Float { Float(self) }
}
