import BayesianLearning
import Datasets
import Foundation
import Models
import PerturbedEquations
import PosteriorSampling
import Statistics
import TestSupport
import Testing
import Torch
import TorchNN
import Training

/// Chains on the weights of a network.
@Suite struct NetworkChainTests {
    /// A linear regression of 3 weights and a bias, whose posterior is known.
    struct Regression {
        let data: Dataset
        let x: [[Double]]
        let y: [Double]
        static let (points, width, noise, prior) = (48, 3, 0.7, 0.8)

        init(seed: UInt64) throws {
            let key = NoiseKey(seed: seed)
            func normal(_ count: Int, _ parameter: Int) -> [Double] {
                var values = [Double](repeating: 0, count: count)
                var span = values.mutableSpan
                NoiseStream(key: key, step: 0, parameter: parameter, term: 0).fill(&span, with: .normal)
                return values
            }
            let features = normal(Self.points * Self.width, 0).map { Float($0) }
            let errors = normal(Self.points, 1)
            x = (0..<Self.points).map { i in
                (0..<Self.width).map { Double(features[i * Self.width + $0]) } + [1]
            }
            let numbers = zip(x, errors).map { row, error in
                Float(0.5 * row[0] - row[1] + 0.2 * row[2] + 0.3 + Self.noise * error)
            }
            y = numbers.map(Double.init)
            let split = try DataSplit(
                features: features, numbers: numbers, exampleSize: Self.width, named: "regression")
            data = Dataset(
                name: "regression", kind: .numbers([Self.width], predicting: TargetScale()), classNames: [],
                train: split, test: split)
        }

        /// The exact posterior of (weights, bias): mean, and deviations.
        var posterior: (mean: [Double], deviations: [Double]) {
            let (d, a) = (Self.width + 1, solved)
            return ((0..<d).map { a[$0][2 * d] }, (0..<d).map { a[$0][d + $0].squareRoot() })
        }

        /// The exact covariance of (weights, bias).
        var covariance: [[Double]] { solved.map { Array($0[(Self.width + 1)..<(2 * Self.width + 2)]) } }

        /// (1, Σ, m) by elimination from (A, 1, b), A = Σ⁻¹.
        private var solved: [[Double]] {
            let d = Self.width + 1
            var a = [[Double]](repeating: [Double](repeating: 0, count: 2 * d + 1), count: d)
            for (row, target) in zip(x, y) {
                for i in 0..<d {
                    for j in 0..<d { a[i][j] += row[i] * row[j] / (Self.noise * Self.noise) }
                    a[i][2 * d] += row[i] * target / (Self.noise * Self.noise)
                }
            }
            for i in 0..<d {
                a[i][i] += 1 / (Self.prior * Self.prior)
                a[i][d + i] = 1
            }
            for i in 0..<d {
                let pivot = a[i][i]
                a[i] = a[i].map { $0 / pivot }
                for k in 0..<d where k != i {
                    let factor = a[k][i]
                    for j in a[k].indices { a[k][j] -= factor * a[i][j] }
                }
            }
            return a
        }

        func chain(
            _ rule: any PosteriorRule, batchSize: Int, number: Int = 0,
            prior: any Prior = GaussianPrior(deviation: prior)
        ) throws -> NetworkChain {
            let scale = MinibatchScale(examples: Self.points)
            let key = NoiseKey.chain(number, seed: 5)
            return try NetworkChain(
                try MLP(hidden: []).build(for: data.kind, seed: key.seed), on: data,
                likelihood: .gaussian(deviation: Self.noise), prior: prior,
                equation: try PerturbedEquation(rule: rule).sampling(scale), scale: scale,
                batchSize: batchSize,
                probes: 2, key: key, steps: 1000)
        }
    }

    private func weights(_ chain: NetworkChain) throws -> [Double] {
        try chain.model.parameters.flatMap {
            try $0.tensor.detached().contiguous().array(of: Float.self).map(Double.init)
        }
    }

    /// One step without noise moves by η·(N/n·Σ∇ℓ + ∇(−log p)), and U is as the formula says.
    @Test(arguments: [48, 12]) func aStepIsTheFormulas(batchSize: Int) throws {
        let problem = try Regression(seed: 31)
        let rate = 1e-4
        for prior in [GaussianPrior(deviation: 0.4), LaplacePrior(scale: 0.3), HorseshoePrior()]
            as [any Prior]
        {
            let chain = try problem.chain(
                SGLD(learningRate: Scheduled(rate), temperature: 0), batchSize: batchSize, prior: prior)
            for step in 0..<6 {
                let before = try weights(chain)
                let order = problem.data.train.order(
                    key: .chain(0, seed: 5), epoch: step / (Regression.points / batchSize))
                let batch = order.batches(of: batchSize)[step % (Regression.points / batchSize)]
                let scale = Double(Regression.points) / Double(batchSize)
                let variance = Regression.noise * Regression.noise
                var slope = before.map { prior.derivative($0) }
                var energy = before.reduce(0.0) { $0 + prior.energy($1) }
                for i in batch {
                    let error = zip(problem.x[i], before).reduce(-problem.y[i]) { $0 + $1.0 * $1.1 }
                    energy +=
                        scale
                        * (0.5 * error * error / variance + log(Regression.noise) + 0.5 * log(2 * Double.pi))
                    for j in slope.indices { slope[j] += scale * error * problem.x[i][j] / variance }
                }
                let taken = try chain.step(measuring: true)
                #expect(abs(try #require(taken.energy) - energy) < 1e-4 * abs(energy), "step \(step)")
                for (j, moved) in try weights(chain).enumerated() {
                    #expect(abs(moved - (before[j] - rate * slope[j])) < 3e-6, "step \(step), weight \(j)")
                }
            }
        }
    }

    /// The same network behind a name of its own, which has to be computed by the graph.
    private struct Wrapped: Module {
        let inner: any Module
        var children: [NamedModule] { [NamedModule("inner", inner)] }
        func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor { inner.forward(x, context) }
    }

    /// Plain perceptrons are computed without the graph: the same steps up to rounding. All others by it.
    @Test func withoutTheGraph() throws {
        let problem = try Regression(seed: 33)
        let classes = try DatasetCatalogue.load("digits", from: DataLocations())
        func chain(_ model: any Module, _ data: Dataset, _ likelihood: Likelihood) throws -> NetworkChain {
            let scale = MinibatchScale(examples: data.train.count)
            return try NetworkChain(
                model, on: data, likelihood: likelihood, prior: GaussianPrior(deviation: 0.4),
                equation: try PerturbedEquation(rule: SGHMC(learningRate: 1e-6)).sampling(scale),
                scale: scale,
                batchSize: 16, probes: 2, key: .chain(0, seed: 9), steps: 1000)
        }
        for (data, likelihood) in [
            (problem.data, Likelihood.gaussian(deviation: 0.7)), (classes, .categorical),
        ] {
            for activation in [Activation.relu, .tanh] {
                func model() throws -> any Module {
                    try MLP(hidden: [12, 7], activation: activation).build(for: data.kind, seed: 4)
                }
                let fused = try chain(try model(), data, likelihood)
                let graph = try chain(Wrapped(inner: try model()), data, likelihood)
                #expect(fused.isFused && !graph.isFused)
                for step in 0..<20 {
                    let (own, other) = try (fused.step(measuring: true), graph.step(measuring: true))
                    let (a, b) = (try #require(own.energy), try #require(other.energy))
                    #expect(abs(a - b) < 2e-6 * abs(b), "\(activation), step \(step): \(a), \(b)")
                }
                for (a, b) in zip(try weights(fused), try weights(graph)) { #expect(abs(a - b) < 2e-5) }
            }
        }
        for model in [
            MLP(hidden: [5], activation: .gelu), MLP(hidden: [5], dropout: 0.1),
            MLP(hidden: [5], noisySigma: 0.5),
        ] {
            #expect(try !chain(model.build(for: classes.kind, seed: 4), classes, .categorical).isFused)
        }
        #expect(try chain(MLP(hidden: []).build(for: classes.kind, seed: 4), classes, .categorical).isFused)
    }

    /// Whole chains, through files, against the exact posterior.
    @Test func theExactPosterior() throws {
        Threads.count = 1
        let problem = try Regression(seed: 32)
        let directory = try TemporaryDirectory()
        let chains = try (0..<4).map {
            try problem.chain(
                SGHMC(learningRate: 2e-4, friction: 0.1), batchSize: Regression.points, number: $0)
        }
        let sampler = try ChainSampler(
            chains, schedule: SamplingSchedule(steps: 9000, burnIn: 1000, thin: 10), to: directory.url,
            prepare: { Threads.count = 1 })
        while !sampler.isFinished { try sampler.advance(by: 1000) }
        let samples = try Samples(contentsOf: directory.url)
        let (mean, deviations) = problem.posterior
        let found =
            try samples.elements([0, 1, 2], of: samples.parameters[0].name)
            + samples.elements([0], of: samples.parameters[1].name)
        for (number, chains) in found.enumerated() {
            let diagnostics = ChainDiagnostics(chains)
            #expect(
                abs(diagnostics.mean - mean[number]) < 5 * diagnostics.meanError,
                "\(number): \(diagnostics.mean) ± \(diagnostics.meanError), exact \(mean[number])")
            #expect(
                abs(diagnostics.deviation / deviations[number] - 1) < 0.08,
                "\(number): \(diagnostics.deviation)")
            #expect(diagnostics.splitRHat < 1.02)
        }
        // A probe is the prediction of its draw.
        let model = try MLP(hidden: []).build(for: problem.data.kind, seed: 0)
        try model.loadState(from: samples.draw(17, of: 2))
        let predicted = zip(problem.x[1], try weightsOf(model)).reduce(0) { $0 + $1.0 * $1.1 }
        #expect(abs(try samples.function("probe[1]").draws[2][17] - predicted) < 1e-5)
    }

    private func weightsOf(_ model: any Module) throws -> [Double] {
        try model.parameters.flatMap {
            try $0.tensor.detached().contiguous().array(of: Float.self).map(Double.init)
        }
    }
}
