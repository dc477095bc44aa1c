import PerturbedEquations

/// An equation on a quadratic of two parameters, L(θ) = ½(θ₁² + 6θ₂²) + wₜ·θ, and everywhere it was evaluated.
/// wₜ ~ N(0, batchNoise²) stands for the minibatch's own noise.
struct WatchedQuadratic {
    static let curvature = SIMD2(1.0, 6.0)
    static let start = SIMD2(-2.6, 1.5)
    /// What a box shows: the same scale on both axes.
    static let box = (x: -3.24...3.24, y: -2.4...2.4)

    /// θ before each step, and after the last.
    private(set) var path: [SIMD2<Double>] = []
    /// Where the loss was evaluated.
    private(set) var places: [SIMD2<Double>] = []

    /// - Parameter staysPut: whether θ goes back to the start after each step.
    /// - Throws: `ConfigurationError` for an equation that cannot be used.
    init(
        _ equation: PerturbedEquation, steps: Int, batchNoise: Double, from start: SIMD2<Double> = start,
        staysPut: Bool = false, seed: UInt64
    ) throws {
        let optimizer = try PerturbedOptimizer(
            parameters: [ParameterSpec("theta", shape: [1, 2], scalar: .float64)], equation: equation,
            seed: seed, horizon: steps, stepsPerEpoch: 10, engine: Engine(parallel: .serial))
        let key = NoiseKey(seed: seed).derived("minibatch")
        let memory = UnsafeMutableBufferPointer<Double>.allocate(capacity: 4)
        defer { memory.deallocate() }
        memory.initialize(repeating: 0)
        func put(_ theta: SIMD2<Double>) { (memory[0], memory[1]) = (theta.x, theta.y) }
        put(start)
        let buffers = [
            ParameterBuffer(
                parameters: UnsafeMutableRawPointer(memory.baseAddress!),
                gradient: UnsafeRawPointer(memory.baseAddress! + 2))
        ]
        for step in 0..<steps {
            var w = [0.0, 0.0]
            var span = w.mutableSpan
            NoiseStream(key: key, step: step, parameter: 0, term: 0).fill(&span, with: .normal)
            let linear = SIMD2(w[0], w[1]) * batchNoise
            path.append(SIMD2(memory[0], memory[1]))
            _ = try optimizer.step(buffers) { _ in
                let theta = SIMD2(memory[0], memory[1])
                places.append(theta)
                let gradient = Self.curvature * theta + linear
                (memory[2], memory[3]) = (gradient.x, gradient.y)
                return (theta * (Self.curvature * theta / 2 + linear)).sum()
            }
            if staysPut { put(start) }
        }
        path.append(SIMD2(memory[0], memory[1]))
    }

    /// A box with the quadratic's levels.
    static func plot(_ title: String) -> PlotBox {
        var plot = PlotBox(title, x: box.x, y: box.y)
        for level in [0.5, 2.0, 4.5, 8.0] {
            plot.ellipse((2 * level / curvature.x).squareRoot(), (2 * level / curvature.y).squareRoot())
        }
        return plot
    }
}
