import PerturbedEquations

/// What a guard makes of a gradient: −Δθ/η against g, element by element, with and without it.
enum GuardPicture {
    private static let shape = [4, 16]
    private static let rate = 0.001
    /// Steps before those that are shown, from which the watch on the loss learns.
    private static let history = 40
    /// Of the two tensors' gradients.
    private static let sizes = [1.0, 0.3]

    private enum Event: CaseIterable {
        case ordinary, spike, notANumber

        var title: String {
            switch self {
            case .ordinary: "an ordinary gradient"
            case .spike: "g and L ten times as large"
            case .notANumber: "one element is NaN"
            }
        }

        var scale: Double { self == .spike ? 10 : 1 }
    }

    static func svg(of named: CataloguePicture.Named, seed: UInt64) throws -> String {
        let stability = try ConfigDecoder.decode(Stability.self, from: named.node)
        let without = try run(.none, seed: seed)
        let with = try run(stability, seed: seed)
        let boxes = Event.allCases.enumerated().map { number, event in
            let reach = 3.2 * event.scale
            var box = PlotBox(event.title, x: -reach...reach, y: -reach...reach)
            box.line([SIMD2(-reach, 0), SIMD2(reach, 0)], .grey, thickness: 0.7)
            box.dots(without[number], .grey)
            box.dots(with[number], .blue)
            return box
        }
        return PlotPage(
            boxes: boxes,
            caption:
                "\(named.name): \(named.entry.equation); −Δθ/η (up) against g (right), grey without any guard; SGD, two "
                + "tensors, gaussian: {sigma: 0.3}"
        ).svg()
    }

    /// (g, −Δθ/η) of every element in the step of each event.
    private static func run(_ stability: Stability, seed: UInt64) throws -> [[SIMD2<Double>]] {
        let count = shape.reduce(1, *)
        let optimizer = try PerturbedOptimizer(
            parameters: sizes.indices.map { ParameterSpec("tensor\($0)", shape: shape, scalar: .float64) },
            equation: PerturbedEquation(
                rule: SGD(learningRate: Scheduled(rate)), perturbation: [Gaussian(sigma: 0.3)],
                stability: stability),
            seed: seed, horizon: history + Event.allCases.count, engine: Engine(parallel: .serial))
        let key = NoiseKey(seed: seed).derived("gradients")
        var theta = [Double](repeating: 0.25, count: sizes.count * count)
        var shown: [[SIMD2<Double>]] = []
        for step in 0..<history + Event.allCases.count {
            let event = step < history ? .ordinary : Event.allCases[step - history]
            var gradient = [Double](repeating: 0, count: theta.count)
            var span = gradient.mutableSpan
            NoiseStream(key: key, step: step, parameter: 0, term: 0).fill(&span, with: .normal)
            for i in gradient.indices { gradient[i] *= sizes[i / count] * event.scale }
            if event == .notANumber { gradient[1] = .nan }
            let before = theta
            // The last digits differ, as losses do.
            let loss = event.scale * (1 + 0.01 * Double(step % 5))
            try theta.withUnsafeMutableBytes { theta in
                try gradient.withUnsafeBytes { gradient in
                    let bytes = count * MemoryLayout<Double>.size
                    _ = try optimizer.step(
                        sizes.indices.map {
                            ParameterBuffer(
                                parameters: theta.baseAddress! + $0 * bytes,
                                gradient: gradient.baseAddress! + $0 * bytes)
                        }, loss: loss)
                }
            }
            if step >= history {
                shown.append(gradient.indices.map { SIMD2(gradient[$0], (before[$0] - theta[$0]) / rate) })
            }
        }
        return shown
    }
}
