import Foundation
import PerturbedEquations

/// What a perturbation adds to a gradient that looks like something: two bumps of opposite sign and a little
/// roughness, on a square, of RMS 1.
struct PerturbationSample {
    /// Steps of one run whose δ are collected; the last is the one that is shown.
    static let steps = 16

    var gradient: [Float] = []
    /// δ of the last step.
    var delta: [Float] = []
    /// δ of all steps.
    var all: [Float] = []

    /// - Throws: `ConfigurationError` for settings outside their range.
    init(_ term: any Perturbation, seed: UInt64) throws {
        let side = SquaresPicture.side
        let key = NoiseKey(seed: seed)
        var rough = [Float](repeating: 0, count: side * side)
        var span = rough.mutableSpan
        NoiseStream(key: key.derived("picture"), step: 0, parameter: 0, term: 0).fill(&span, with: .normal)
        gradient = rough.indices.map { i in
            let (x, y) = (Float(i % side) / Float(side), Float(i / side) / Float(side))
            func bump(_ a: Float, _ b: Float) -> Float {
                exp(-((x - a) * (x - a) + (y - b) * (y - b)) / 0.03)
            }
            return bump(0.32, 0.35) - bump(0.68, 0.62) + 0.15 * rough[i]
        }
        let rms = (gradient.reduce(0) { $0 + $1 * $1 } / Float(gradient.count)).squareRoot()
        for i in gradient.indices { gradient[i] /= rms }
        var theta = rough.indices.map { cos(Float($0 % side) / 4) }

        let optimizer = try PerturbedOptimizer(
            parameters: [ParameterSpec("square", shape: [side, side])],
            equation: PerturbedEquation(rule: Reveal(), perturbation: [term]), seed: seed,
            horizon: Self.steps, engine: Engine(parallel: .serial))
        for step in 0..<Self.steps {
            try Self.step(optimizer, &theta, gradient, key.derived("micro-batches"), step)
            for source in optimizer.stateSources() where source.name.hasSuffix("/" + Reveal.delta) {
                var bytes: [UInt8] = []
                try source.bytes { bytes.append(contentsOf: $0) }
                delta = bytes.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
            }
            all += delta
            // θ moves as it would, for terms that look at where it is.
            for i in theta.indices { theta[i] -= 0.05 * gradient[i] }
        }
    }

    /// One step, with signals as four micro-batches of a batch of this gradient could give them.
    private static func step(
        _ optimizer: PerturbedOptimizer, _ theta: inout [Float], _ gradient: [Float], _ key: NoiseKey,
        _ number: Int
    ) throws {
        let parts: [[Float]] = (0..<4).map { (part: Int) -> [Float] in
            var noise = [Float](repeating: 0, count: gradient.count)
            var span = noise.mutableSpan
            NoiseStream(key: key, step: number, parameter: part, term: 0).fill(&span, with: .normal)
            for i in noise.indices { noise[i] = gradient[i] + 0.5 * (abs(gradient[i]) + 0.2) * noise[i] }
            return noise
        }
        let signs: [Float] = [1, -1, 1, -1]
        var curvature = gradient
        var positive = gradient
        var noise = gradient
        for i in gradient.indices {
            curvature[i] = 0.05 + abs(gradient[i])
            positive[i] = 0
            noise[i] = 0
            for (part, sign) in zip(parts, signs) {
                let value: Float = part[i]
                positive[i] += max(value, 0) / 4
                noise[i] += sign * value * 0.2887
            }
        }
        let values: [Signal: [Float]] = [
            .hessianDiagonal: curvature, .positivePart: positive, .microBatchNoise: noise,
        ]
        let memory = UnsafeMutableBufferPointer<Float>.allocate(capacity: gradient.count * values.count)
        defer { memory.deallocate() }
        var signals = ParameterSignals()
        for (place, (signal, numbers)) in values.enumerated() {
            let start = place * gradient.count
            _ = UnsafeMutableBufferPointer(rebasing: memory[start..<start + gradient.count])
                .initialize(fromContentsOf: numbers)
            signals[signal] = UnsafeRawPointer(memory.baseAddress! + start)
        }
        try theta.withUnsafeMutableBytes { theta in
            try gradient.withUnsafeBytes { gradient in
                _ = try optimizer.step([
                    ParameterBuffer(
                        parameters: theta.baseAddress!, gradient: gradient.baseAddress!, signals: signals)
                ])
            }
        }
    }

    /// A rule that leaves θ alone and keeps δ where it can be read.
    private struct Reveal: UpdateRule {
        static let delta = "delta"
        static let catalogueEntry = CatalogueEntry(
            name: "reveal", summary: "Leaves θ alone.", equation: "θ ← θ", parameters: [],
            source: "none needed")

        var learningRate: Scheduled = 1
        /// δ, and an average of g² for terms that are shaped by it.
        var stateNames: [String] { [Self.delta, "exp_avg_sq"] }
        var secondMomentName: String? { "exp_avg_sq" }

        func update(_ block: UpdateBlock<Float>, at time: RuleTime) { reveal(block) }
        func update(_ block: UpdateBlock<Double>, at time: RuleTime) { reveal(block) }

        private func reveal<S: EquationScalar>(_ block: UpdateBlock<S>) {
            for i in block.state[0].indices {
                let g = S(block.gradientScale) * block.gradient[i]
                block.state[0][i] = block.perturbedGradient(i) - g
                block.state[1][i] += (g * g - block.state[1][i]) / 2
            }
        }
    }
}
