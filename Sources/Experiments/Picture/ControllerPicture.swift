import Foundation
import PerturbedEquations

/// What a closed loop does to its factor over a run, and the run's loss.
enum ControllerPicture {
    private static let steps = 300
    private static let size = 64
    /// Examples of a batch, and of the part of it that is measured by itself.
    private static let (batch, part) = (8, 2)

    static func svg(of named: CataloguePicture.Named, seed: UInt64) throws -> String {
        let controller = try ConfigDecoder.decode(NamedController.self, from: named.node).controller
        let (losses, factors) = try run(controller, seed: seed)
        let loss = box("log₁₀ of the loss", losses.map { log10(max($0, 1e-12)) }, .grey, from: nil)
        let quantity = controller.scales == .sigma ? "σ" : "η"
        let factor = box(
            "factor on \(quantity), 0 to " + String(format: "%.3g", factors.max() ?? 1), factors, .blue,
            from: 0)
        return PlotPage(
            boxes: [loss, factor],
            caption:
                "\(named.name): \(named.entry.equation); here SGD on a quadratic of \(size) parameters with noisy "
                + "batches and gaussian: {sigma: 0.5}"
        ).svg()
    }

    /// A curve over the steps, with a little room; `from`: where the box begins, or with the least value.
    private static func box(
        _ title: String, _ values: [Double], _ ink: PlotBox.Ink, from least: Double?
    ) -> PlotBox {
        let bottom = least ?? values.min() ?? 0
        let top = max(values.max() ?? 1, bottom + 1e-9)
        let room = 0.06 * (top - bottom)
        var box = PlotBox(
            title, x: 0...Double(steps), y: (least ?? bottom - room)...(top + room))
        box.ends = ("t = 0", "\(steps) steps")
        box.line(values.enumerated().map { SIMD2(Double($0.offset), $0.element) }, ink)
        return box
    }

    /// L(θ) = ½Σhᵢθᵢ² by batches whose gradients are noisy, h from 0.1 to 1.
    private static func run(
        _ controller: any Controller, seed: UInt64
    ) throws -> (losses: [Double], factors: [Double]) {
        let optimizer = try PerturbedOptimizer(
            parameters: [ParameterSpec("theta", shape: [size], scalar: .float64)],
            equation: PerturbedEquation(
                rule: SGD(learningRate: 0.05), perturbation: [Gaussian(sigma: 0.5)], controllers: [controller]
            ),
            seed: seed, horizon: steps, stepsPerEpoch: 10, engine: Engine(parallel: .serial))
        let key = NoiseKey(seed: seed).derived("minibatch")
        var theta = [Double](repeating: 3, count: size)
        var (losses, factors): ([Double], [Double]) = ([], [])
        for step in 0..<steps {
            var gradient = [Double](repeating: 0, count: size)
            var small = gradient
            for example in 0..<batch {
                var noise = [Double](repeating: 0, count: size)
                var span = noise.mutableSpan
                NoiseStream(key: key, step: step, parameter: example, term: 0).fill(&span, with: .normal)
                for i in noise.indices {
                    let g = (0.1 + 0.9 * Double(i) / Double(size - 1)) * theta[i] + noise[i]
                    gradient[i] += g / Double(batch)
                    if example < part { small[i] += g / Double(part) }
                }
            }
            let loss = theta.indices.reduce(0.0) {
                $0 + (0.1 + 0.9 * Double($1) / Double(size - 1)) * theta[$1] * theta[$1] / 2
            }
            let report = try theta.withUnsafeMutableBytes { theta in
                try gradient.withUnsafeBytes { gradient in
                    try small.withUnsafeBytes { small in
                        if optimizer.needsSmallBatch {
                            optimizer.noteSmallBatch(
                                [
                                    ParameterBuffer(
                                        parameters: theta.baseAddress!, gradient: small.baseAddress!)
                                ], examples: part, of: batch)
                        }
                        return try optimizer.step(
                            [
                                ParameterBuffer(
                                    parameters: theta.baseAddress!, gradient: gradient.baseAddress!)
                            ], loss: loss)
                    }
                }
            }
            losses.append(loss)
            factors.append(controller.scales == .sigma ? report.strengthFactor : report.learningRateFactor)
        }
        return (losses, factors)
    }
}
