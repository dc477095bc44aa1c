import PerturbedEquations
import Testing

/// The bits of a run do not depend on how its arithmetic is spread: promise 2.
@Suite struct InvarianceTests {
    static let equations: [PerturbedEquation] = [
        PerturbedEquation(rule: Adam(learningRate: 1e-2), perturbation: Gaussian(sigma: 0.1)),
        PerturbedEquation(
            rule: SGD(learningRate: 1e-2, momentum: 0.9), perturbation: Uniform(sigma: 0.1),
            Laplace(sigma: 0.1)),
        PerturbedEquation(
            rule: RMSProp(centred: true), perturbation: DropNoise(probability: 0.3),
            GradientScaled(alpha: 0.2)),
        PerturbedEquation(
            rule: Nesterov(learningRate: 1e-2), perturbation: Orthogonal(sigma: .relative(0.5)),
            WeightPenalty(l1: 1e-3, l2: 1e-2), Adaptive(alpha: 0.1, .tanh),
            stability: Stability(clipValue: 2, clipNorm: 20, clipGlobalNorm: 25, perturbationToGradient: 0.3)),
        PerturbedEquation(rule: AdaGrad(), perturbation: Gaussian(sigma: 0.1)),
        PerturbedEquation(
            rule: AdamPE(learningRate: 1e-2), perturbation: Gaussian(sigma: 0.1),
            DropNoise(probability: 0.2), Orthogonal(sigma: 0.1)),
        PerturbedEquation(rule: RMSPE(momentum: 0.5), perturbation: Laplace(sigma: 0.1)),
        PerturbedEquation(rule: PNM(learningRate: 1e-2), perturbation: Gaussian(sigma: 0.1)),
        PerturbedEquation(rule: AdaPNM(weightDecay: 0.1)),
        PerturbedEquation(rule: SGLD(learningRate: 1e-2, weightDecay: 0.1)),
        PerturbedEquation(rule: PSGLD(learningRate: 1e-2), perturbation: Uniform(sigma: 0.1)),
        PerturbedEquation(rule: SGHMC(learningRate: 1e-2)),
        PerturbedEquation(rule: SGNHT(learningRate: 1e-2), perturbation: Gaussian(sigma: 0.1)),
    ]

    /// θ after five steps on the gradient sin(k·i), over tensors of several sizes.
    static func run<S: EquationScalar>(
        _ equation: PerturbedEquation, _ engine: Engine, _: S.Type
    ) throws -> [[S]] {
        let sizes = [1, 33, 4096, 0, 10_001, 70_000]
        var theta = sizes.map { n in (0..<n).map { S(Double($0 % 17) / 17 - 0.5) } }
        let optimizer = try PerturbedOptimizer(
            parameters: sizes.enumerated().map {
                ParameterSpec("p\($0.offset)", shape: [$0.element], scalar: S.scalarType)
            }, equation: equation, seed: 7, engine: engine)
        for step in 0..<5 {
            let gradient = sizes.map { n in (0..<n).map { S(Double(($0 * 7919 + step * 31) % 201) / 100 - 1) }
            }
            var buffers: [ParameterBuffer] = []
            for index in sizes.indices {
                // The arrays outlive the step and are not touched elsewhere while it runs.
                let p = theta[index].withUnsafeMutableBytes {
                    $0.baseAddress ?? UnsafeMutableRawPointer(bitPattern: 64)!
                }
                let g = gradient[index].withUnsafeBytes {
                    $0.baseAddress ?? UnsafeRawPointer(bitPattern: 64)!
                }
                buffers.append(ParameterBuffer(parameters: p, gradient: g))
            }
            try optimizer.step(buffers)
            withExtendedLifetime(gradient) {}
        }
        return theta
    }

    @Test(arguments: equations.indices)
    func threadsAndInstructions(_ index: Int) throws {
        let equation = Self.equations[index]
        let reference = try Self.run(equation, Engine(parallel: .serial, level: .baseline), Float.self)
        let wide = try Self.run(equation, Engine(parallel: .serial, level: .baseline), Double.self)
        for level in SIMDLevel.supported {
            for threads in [1, 2, 3, 7] {
                let engine = Engine(parallel: .dispatch(threads: threads), level: level, serialBelow: 0)
                #expect(
                    try Self.run(equation, engine, Float.self) == reference, "\(level), \(threads) threads")
                #expect(try Self.run(equation, engine, Double.self) == wide, "\(level), \(threads) threads")
            }
        }
    }

    /// Where no sums enter, the block size does not matter either.
    @Test(arguments: [0, 1, 2, 4, 6, 7, 8, 9, 10, 11])
    func blockSize(_ index: Int) throws {
        let reference = try Self.run(Self.equations[index], Engine(), Float.self)
        for size in [32, 64, 1024, 8192] {
            #expect(try Self.run(Self.equations[index], Engine(blockSize: size), Float.self) == reference)
        }
    }
}
