import Foundation
import PerturbedEquations
import Testing

/// The signals from micro-batches, and the terms made of them.
@Suite struct MicroBatchTests {
    /// Gradients of three micro-batches of unequal shares, over two tensors; the second has none in one of them.
    static let shares = [0.5, 0.3, 0.2]
    static func gradient(_ batch: Int, _ tensor: Int, _ i: Int) -> Double {
        sin(Double(i * 3 + batch * 7 + tensor)) + 0.2 * Double(i % 3)
    }

    static func step<S: EquationScalar>(
        _ term: any Perturbation, step: Int, seed: UInt64 = 3, stability: Stability = Stability(),
        as _: S.Type
    ) throws -> (delta: [[Double]], mean: [[Double]], report: StepReport) {
        let tensors = Tensors<S>(sizes: [40, 5]) { _, _ in 0 }
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(),
            equation: PerturbedEquation(rule: SGD(learningRate: 1), perturbation: term, stability: stability),
            seed: UInt64(step))
        let signals = MicroBatchSignals(
            parameters: optimizer.parameters, optimizer.requiredSignals, seed: seed)
        signals.begin(step: step)
        for (batch, share) in shares.enumerated() {
            tensors.hasGradient = [true, batch != 1]
            tensors.setGradient { t, i, _ in S(gradient(batch, t, i)) }
            signals.add(tensors.buffers, share: share)
        }
        let report = try optimizer.step(signals.finish(tensors.buffers))
        let mean = (0..<2).map { t in
            (0..<tensors.sizes[t]).map { i in
                shares.indices.reduce(0.0) {
                    $0 + (t == 1 && $1 == 1 ? 0 : shares[$1] * gradient($1, t, i))
                }
            }
        }
        let delta = zip(tensors.all, mean).map { zip($0, $1).map { -Double($0) - $1 * report.clipScale } }
        return (delta, mean, report)
    }

    static func parts(_ tensor: Int, _ i: Int) -> (Double, Double) {
        shares.indices.reduce((0.0, 0.0)) { sums, batch in
            let g = tensor == 1 && batch == 1 ? 0 : shares[batch] * gradient(batch, tensor, i)
            return (sums.0 + max(g, 0), sums.1 + min(g, 0))
        }
    }

    /// Each element of g + δ is the positive part or the negative one, the positive with probability p/(p − n).
    @Test func gradDropKeepsOneSign() throws {
        var kept = [[Int]](repeating: [Int](repeating: 0, count: 40), count: 2)
        let draws = 3000
        for step in 0..<draws {
            let (delta, mean, _) = try Self.step(GradDrop(), step: step, as: Double.self)
            for t in 0..<2 {
                for i in delta[t].indices {
                    let (p, n) = Self.parts(t, i)
                    let value = mean[t][i] + delta[t][i]
                    let isPositive = abs(value - p) < abs(value - n)
                    #expect(abs(value - (isPositive ? p : n)) < 1e-9)
                    if isPositive { kept[t][i] += 1 }
                }
            }
        }
        for t in 0..<2 {
            for i in 0..<(t == 0 ? 40 : 5) {
                let (p, n) = Self.parts(t, i)
                let probability = p / (p - n)
                let error = (probability * (1 - probability) / Double(draws)).squareRoot()
                #expect(abs(Double(kept[t][i]) / Double(draws) - probability) < 5 * error + 1e-9)
            }
        }
        // A leak lets the rest through; global clipping scales the parts as it does g.
        let (half, mean, _) = try Self.step(GradDrop(leak: 0.5), step: 1, as: Double.self)
        let whole = try Self.step(GradDrop(), step: 1, as: Double.self).delta
        for (a, b) in zip(half.joined(), whole.joined()) { #expect(abs(a - b / 2) < 1e-12) }
        let clipped = try Self.step(
            GradDrop(), step: 1, stability: Stability(clipGlobalNorm: 0.5), as: Double.self)
        #expect(clipped.report.clipScale < 1 && clipped.mean == mean)
        for (a, b) in zip(clipped.delta.joined(), whole.joined()) {
            #expect(abs(a - clipped.report.clipScale * b) < 1e-12)
        }
    }

    /// The mean of δ vanishes and its covariance is the unbiased estimate Σ aᵢ(gᵢ − ḡ)(gᵢ − ḡ)ᵀ/(m − 1), times s².
    @Test func covariance() throws {
        let draws = 20_000
        let places = [(0, 0), (0, 7), (0, 39), (1, 4)]
        var sums = [[Double]](repeating: [0, 0, 0, 0], count: 4)
        for step in 0..<draws {
            let delta = try Self.step(
                GradientCovariance(scale: 2), step: step, seed: UInt64(step), as: Double.self
            )
            .delta
            let values = places.map { delta[$0.0][$0.1] }
            for a in 0..<4 { for b in 0..<4 { sums[a][b] += values[a] * values[b] / Double(draws) } }
        }
        func deviation(_ place: (Int, Int), _ batch: Int) -> Double {
            func value(_ batch: Int) -> Double {
                place.0 == 1 && batch == 1 ? 0 : Self.gradient(batch, place.0, place.1)
            }
            return value(batch) - Self.shares.indices.reduce(0.0) { $0 + Self.shares[$1] * value($1) }
        }
        for a in 0..<4 {
            for b in 0..<4 {
                let theory = Self.shares.indices.reduce(0.0) { sum, batch in
                    sum + 4 * Self.shares[batch] * deviation(places[a], batch) * deviation(places[b], batch)
                        / 2
                }
                let size = (sums[a][a] * sums[b][b] * 2 / Double(draws)).squareRoot()
                #expect(abs(sums[a][b] - theory) < 5 * size)
            }
        }
    }

    /// float32 follows float64; the same step gives the same noise.
    @Test func scalars() throws {
        for term in [GradDrop(), GradientCovariance()] as [any Perturbation] {
            let wide = try Self.step(term, step: 5, as: Double.self).delta
            let narrow = try Self.step(term, step: 5, as: Float.self).delta
            for (a, b) in zip(wide.joined(), narrow.joined()) { #expect(abs(a - b) < 1e-5) }
            #expect(try Self.step(term, step: 5, as: Double.self).delta == wide)
        }
    }

    @Test func refusals() throws {
        let spec = [ParameterSpec("p", shape: [2])]
        let signals = MicroBatchSignals(parameters: spec, [.positivePart], seed: 1)
        var values: [Float] = [1, 2]
        values.withUnsafeMutableBytes { bytes in
            let buffer = ParameterBuffer(
                parameters: bytes.baseAddress!, gradient: UnsafeRawPointer(bytes.baseAddress!))
            signals.begin(step: 0)
            signals.add([buffer], share: 1)
            let error = #expect(throws: ConfigurationError.self) { try signals.finish([buffer]) }
            #expect(error?.message.contains("accumulate") == true)
        }
        for stability in [Stability(clipValue: 1)] {
            let error = #expect(throws: ConfigurationError.self) {
                _ = try PerturbedOptimizer(
                    parameters: spec,
                    equation: PerturbedEquation(
                        rule: SGD(learningRate: 1), perturbation: GradDrop(), stability: stability), seed: 1)
            }
            #expect(error?.path == "stability.clipValue")
        }
    }
}
