import Foundation
import PerturbedEquations
import Testing

/// A step on bfloat16 parameters is the float32 step on the same numbers, with θ rounded at the end.
@Suite struct BFloat16StepTests {
    static let sizes = [1, 0, 45, 5000]
    static let guards = [
        Stability(),
        Stability(clipValue: 0.9, clipNorm: 20, clipGlobalNorm: 25, perturbationToGradient: 0.5, sigmaMax: 1),
    ]

    static func start(_ tensor: Int, _ i: Int) -> Float { i % 5 == 0 ? -0.0 : Float(cos(Double(i + tensor))) }

    /// Runs both side by side, the float32 one from the bfloat16 one's θ at every step: no rounding adds up, so θ
    /// must be a rounding of the other's to the bit, and the state must be the same.
    static func compare(
        _ rule: any UpdateRule, _ terms: [any Perturbation], _ stability: Stability, _ rounding: Rounding,
        gradient: ScalarType, measure: Bool = false
    ) throws {
        let halves = BFloat16Tensors(sizes: sizes, gradient: gradient, start)
        let floats = Tensors<Float>(halves.floats)
        func optimizer(_ specs: [ParameterSpec]) throws -> PerturbedOptimizer {
            try PerturbedOptimizer(
                parameters: specs,
                equation: PerturbedEquation(
                    rule: rule, perturbation: terms, stability: stability, rounding: rounding), seed: 21)
        }
        let half = try optimizer(halves.specs())
        let float = try optimizer(floats.specs())
        for step in 0..<4 {
            halves.setGradient(ZeroStrengthTests.gradient(step))
            floats.setGradient(halves.gradient)
            let theta = halves.floats
            for tensor in sizes.indices { floats[tensor] = theta[tensor] }
            let report = try half.step(halves.buffers, measure: measure)
            #expect(try float.step(floats.buffers, measure: measure) == report)
            let isFinite = floats.all.joined().allSatisfy(\.isFinite)
            #expect(isFinite, "step \(step) with \(rule), \(terms)")
            for (mine, exact) in zip(halves.bits.joined(), floats.all.joined()) {
                let (inner, outer) = RoundingTests.neighbours(exact)
                let allowed = rounding == .nearest ? [BFloat16(exact).bitPattern] : [inner, outer]
                #expect(allowed.contains(mine), "\(exact) at step \(step) with \(rule), \(terms)")
            }
            #expect(try half.stateBytes() == float.stateBytes(), "step \(step) with \(rule), \(terms)")
        }
    }

    @Test(arguments: ZeroStrengthTests.rules.indices)
    func everyRuleAndPerturbation(_ index: Int) throws {
        let rule = ZeroStrengthTests.rules[index]
        for stability in Self.guards {
            for term in ZeroStrengthTests.perturbations(0.125) {
                try Self.compare(rule, [term], stability, .nearest, gradient: .bfloat16)
            }
            let all = ZeroStrengthTests.perturbations(0.125)
            for gradient in [ScalarType.bfloat16, .float32] {
                try Self.compare(rule, all, stability, .nearest, gradient: gradient, measure: true)
                try Self.compare(rule, all, stability, .stochastic, gradient: gradient)
            }
        }
    }

    /// Left to itself, a run stays within rounding of the float32 one: each of n steps moves θ by at most one
    /// spacing, and stochastic errors cancel in the mean.
    @Test(arguments: ZeroStrengthTests.rules.indices)
    func followsTheFloat32Run(_ index: Int) throws {
        let steps = 30
        let equation = PerturbedEquation(
            rule: ZeroStrengthTests.rules[index], perturbation: Gaussian(sigma: 0.1),
            DropNoise(probability: 0.1))
        func gradient(_ step: Int) -> (Int, Int, Float) -> Float {
            { _, i, _ in Float(sin(Double(i * 31 + step * 7))) / 4 }
        }
        let halves = BFloat16Tensors(sizes: [20_000], gradient: .float32, Self.start)
        let floats = Tensors<Float>(halves.floats)
        let half = try PerturbedOptimizer(parameters: halves.specs(), equation: equation, seed: 3)
        let float = try PerturbedOptimizer(parameters: floats.specs(), equation: equation, seed: 3)
        var largest: Float = 0
        for step in 0..<steps {
            halves.setGradient(gradient(step))
            floats.setGradient(gradient(step))
            try half.step(halves.buffers)
            try float.step(floats.buffers)
            largest = max(largest, halves.floats[0].map(abs).max()!)
        }
        let spacing = Double(largest.ulp) * 65536
        let errors = zip(halves.floats[0], floats[0]).map { Double($0) - Double($1) }
        #expect(errors.allSatisfy { abs($0) <= Double(steps) * spacing })
        // The variance of one rounding is at most a quarter of the spacing's square.
        let deviation = (Double(steps) / 4 / Double(errors.count)).squareRoot() * spacing
        let (mean, variance) = meanAndVariance(errors)
        #expect(abs(mean) < 5 * deviation, "mean error \(mean), deviation \(deviation)")
        #expect(variance > 0 && variance < Double(steps) / 4 * spacing * spacing)
    }

    /// η·Δ far below the spacing: rounding to nearest loses every step, stochastic rounding makes them in the mean.
    @Test func tinyUpdatesMakeProgress() throws {
        let count = 20_000
        let steps = 100
        let change = 1e-4  // the spacing below 1 is 1/256
        for rounding in Rounding.allCases {
            var theta = [BFloat16](repeating: BFloat16(1), count: count)
            let optimizer = try PerturbedOptimizer(
                parameters: [ParameterSpec("p", shape: [count], scalar: .bfloat16)],
                equation: PerturbedEquation(rule: SGD(learningRate: Scheduled(change)), rounding: rounding),
                seed: 6)
            let gradient = [BFloat16](repeating: BFloat16(1), count: count)
            for _ in 0..<steps { try optimizer.step(&theta, gradient: gradient) }
            let mean = theta.reduce(0) { $0 + Double(Float($1)) } / Double(count)
            switch rounding {
            case .nearest: #expect(theta.allSatisfy { $0 == BFloat16(1) })
            case .stochastic:
                // A step moves by 1/256 with probability p = 256·change.
                let variance = Double(steps) * change / 256
                let error = (variance / Double(count)).squareRoot()
                #expect(abs(mean - (1 - Double(steps) * change)) < 5 * error, "\(mean) ± \(error)")
            }
        }
    }

    /// Promise 1: a perturbation of strength zero changes no bit, whichever way θ is rounded.
    @Test(arguments: ZeroStrengthTests.rules.indices)
    func zeroStrength(_ index: Int) throws {
        func run(_ terms: [any Perturbation], _ rounding: Rounding) throws -> [[UInt16]] {
            let tensors = BFloat16Tensors(sizes: Self.sizes, Self.start)
            let optimizer = try PerturbedOptimizer(
                parameters: tensors.specs(),
                equation: PerturbedEquation(
                    rule: ZeroStrengthTests.rules[index], perturbation: terms, rounding: rounding), seed: 12)
            for step in 0..<6 {
                tensors.setGradient(ZeroStrengthTests.gradient(step))
                try optimizer.step(tensors.buffers)
            }
            return tensors.bits
        }
        for rounding in Rounding.allCases {
            let base = try run([], rounding)
            #expect(try run(ZeroStrengthTests.perturbations(0), rounding) == base)
            #expect(try run(ZeroStrengthTests.perturbations(0.125), rounding) != base)
        }
        #expect(try run([], .nearest) != run([], .stochastic))
    }

    /// Promise 2: threads, instructions and, without sums, blocks change no bit.
    @Test func threadsInstructionsAndBlocks() throws {
        func run(_ engine: Engine, _ seed: UInt64 = 4) throws -> [[UInt16]] {
            let tensors = BFloat16Tensors(sizes: [33, 0, 70_001, 4096], Self.start)
            let optimizer = try PerturbedOptimizer(
                parameters: tensors.specs(),
                equation: PerturbedEquation(
                    rule: Adam(learningRate: 1e-2), perturbation: Gaussian(sigma: 0.1)),
                seed: seed, engine: engine)
            for step in 0..<3 {
                tensors.setGradient(ZeroStrengthTests.gradient(step))
                try optimizer.step(tensors.buffers)
            }
            return tensors.bits
        }
        let reference = try run(Engine(parallel: .serial, level: .baseline))
        for level in SIMDLevel.supported {
            for (threads, size) in [(1, 16384), (2, 32), (3, 1024), (7, 8192)] {
                let engine = Engine(
                    parallel: .dispatch(threads: threads), level: level, blockSize: size, serialBelow: 0)
                #expect(try run(engine) == reference, "\(level), \(threads) threads, blocks of \(size)")
            }
        }
        #expect(try run(Engine(), 5) != reference)
    }

    /// A gradient that is not finite skips the step, in either type and with or without norms.
    @Test(arguments: [Float.nan, .infinity, -.infinity])
    func nonFinite(_ bad: Float) throws {
        for (measure, gradient) in [(false, ScalarType.bfloat16), (true, .bfloat16), (false, .float32)] {
            let tensors = BFloat16Tensors(sizes: [5000], gradient: gradient, Self.start)
            let before = tensors.bits
            let optimizer = try PerturbedOptimizer(
                parameters: tensors.specs(), equation: PerturbedEquation(rule: Adam()), seed: 1)
            tensors.setGradient { _, i, _ in i == 4321 ? bad : 1 }
            #expect(try optimizer.step(tensors.buffers, measure: measure).outcome == .skippedNonFinite)
            #expect(tensors.bits == before)
        }
    }

    /// An update beyond the largest bfloat16 stays there with stochastic rounding.
    @Test func theLargestValue() throws {
        let largest = BFloat16(bitPattern: 0x7f7f)
        for (rounding, end) in [(Rounding.stochastic, largest), (.nearest, BFloat16(bitPattern: 0x7f80))] {
            var theta = [BFloat16](repeating: largest, count: 100)
            let optimizer = try PerturbedOptimizer(
                parameters: [ParameterSpec("p", shape: [100], scalar: .bfloat16)],
                equation: PerturbedEquation(rule: SGD(learningRate: 1), rounding: rounding), seed: 1)
            // Three quarters of the way to 2¹²⁸: float32 still has room there.
            try optimizer.step(&theta, gradient: [Float](repeating: -0x1.8p119, count: 100))
            #expect(theta.allSatisfy { $0 == end }, "\(rounding)")
        }
    }
}
