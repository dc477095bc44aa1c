import BayesianLearning
import Datasets
import Foundation
import Models
import PerturbedEquations
import PosteriorSampling
import Safetensors
import Statistics
import TestSupport
import Testing
import Torch
import TorchNN
import Training

/// Posteriors that are no Markov chains': ensembles, SWAG and variational ones, on a linear regression that is known.
@Suite struct ApproximationTests {
    typealias Regression = NetworkChainTests.Regression

    /// A chain of the regression under an approximation.
    private static func chain(
        _ problem: Regression, _ approximation: any PosteriorApproximation, _ rule: any UpdateRule,
        _ schedule: SamplingSchedule, batchSize: Int, number: Int = 0
    ) throws -> (network: NetworkChain, gathering: GatheringChain?) {
        try chain(
            problem, approximation, PerturbedEquation(rule: rule), schedule, batchSize: batchSize,
            number: number)
    }

    private static func chain(
        _ problem: Regression, _ approximation: any PosteriorApproximation, _ equation: PerturbedEquation,
        _ schedule: SamplingSchedule, batchSize: Int, number: Int = 0, model: MLP = MLP(hidden: [])
    ) throws -> (network: NetworkChain, gathering: GatheringChain?) {
        Threads.count = 1
        let scale = MinibatchScale(examples: Regression.points)
        let prior = GaussianPrior(deviation: Regression.prior)
        let key = NoiseKey.chain(number, seed: 5)
        let network = try NetworkChain(
            try model.build(for: problem.data.kind, seed: key.seed), on: problem.data,
            likelihood: .gaussian(deviation: Regression.noise), prior: prior,
            equation: try approximation.equation(equation, for: scale, NamedPrior(prior), schedule),
            ruleHasPrior: approximation.ruleHasPrior, scale: scale, batchSize: batchSize, probes: 2, key: key,
            steps: schedule.steps)
        let gathered = approximation.distribution(over: network.optimizer.parameters, along: schedule)
        return (network, gathered.map { GatheringChain(network, $0, steps: schedule.steps, key: key) })
    }

    private static func weights(_ chain: some MarkovChain) throws -> [Double] {
        try chain.withParameters { $0.flatMap { $0.bindMemory(to: Float.self).map(Double.init) } }
    }

    /// Whether a chain that is at its end draws from N(end, diag(deviations²)), four weights.
    private static func expectDraws(
        of chain: some MarkovChain, around end: [Double], _ deviations: [Double]
    ) throws {
        var draws: [[Double]] = []
        for _ in 0..<4000 {
            _ = try chain.step(measuring: false)
            draws.append(try weights(chain))
        }
        for i in 0..<4 {
            let own = draws.map { $0[i] }
            #expect(abs(Sample.mean(own) - end[i]) < 5 * deviations[i] / 4000.0.squareRoot())
            #expect(abs(Sample.deviation(own) / deviations[i] - 1) < 5 / 8000.0.squareRoot())
        }
    }

    /// The numbers of a chain's kept tensors of a name, parameter after parameter.
    private static func kept(_ chain: GatheringChain, _ name: String) throws -> [Double] {
        try chain.keptSources().filter { $0.name.hasPrefix(name) }.flatMap { source in
            var data = Data()
            try source.bytes { data.append(contentsOf: $0) }
            return try TensorEntry(name: source.name, type: source.type, shape: source.shape, data: data)
                .doubles()
        }
    }

    /// A path of SGD with minibatches: θ after its steps is taken down, and the moments are computed from that.
    @Test func swagHasTheMomentsOfThePath() throws {
        let problem = try Regression(seed: 41)
        let (rank, draws) = (5, 20_000)
        let posterior = SWAG(rank: rank, draws: draws)
        let schedule = SamplingSchedule(steps: 240, burnIn: 60, thin: 20)
        let rule = SGD(learningRate: 0.1)
        let (path, _) = try Self.chain(problem, posterior, rule, schedule, batchSize: 8)
        var seen: [[Double]] = []
        for taken in 1...schedule.steps {
            _ = try path.step(measuring: false)
            if taken > 60, (taken - 60) % 20 == 0 { seen.append(try Self.weights(path)) }
        }
        #expect(seen.count == 9)

        let chain = try #require(
            try Self.chain(problem, posterior, rule, schedule, batchSize: 8).gathering)
        for _ in 0..<schedule.steps { _ = try chain.step(measuring: false) }
        let d = 4
        let mean = (0..<d).map { i in seen.reduce(0) { $0 + $1[i] } / 9 }
        let variance = (0..<d).map { i in seen.reduce(0) { $0 + pow($1[i] - mean[i], 2) } / 9 }
        for (i, found) in try Self.kept(chain, "swag/mean").enumerated() {
            #expect(abs(found - mean[i]) < 1e-9, "mean \(i): \(found), not \(mean[i])")
        }
        for (i, found) in try Self.kept(chain, "swag/squares").enumerated() {
            #expect(abs(found / 9 - variance[i]) < 1e-9, "variance \(i): \(found / 9), not \(variance[i])")
        }
        // The last five deviations from the mean of their time.
        var columns = [[Double]](repeating: [], count: rank)
        for n in 5...9 {
            let running = (0..<d).map { i in seen[..<n].reduce(0) { $0 + $1[i] } / Double(n) }
            columns[(n - 1) % rank] = (0..<d).map { seen[n - 1][$0] - running[$0] }
        }
        // Weights first, [rank, 1, 3], then biases, [rank, 1].
        let kept = try Self.kept(chain, "swag/columns")
        for k in 0..<rank {
            for i in 0..<3 { #expect(abs(kept[k * 3 + i] - columns[k][i]) < 1e-6, "column \(k), \(i)") }
            #expect(abs(kept[rank * 3 + k] - columns[k][3]) < 1e-6, "column \(k), bias")
        }

        // Draws: mean and covariance within five standard errors of those of N(θ̄, ½Σ + ½D̂D̂ᵀ/(rank − 1)).
        var covariance = [[Double]](repeating: [Double](repeating: 0, count: d), count: d)
        for i in 0..<d {
            for j in 0..<d {
                covariance[i][j] = columns.reduce(0) { $0 + $1[i] * $1[j] } / (2 * Double(rank - 1))
            }
            covariance[i][i] += variance[i] / 2
        }
        var found: [[Double]] = []
        for _ in 0..<draws {
            let taken = try chain.step(measuring: false)
            #expect(taken.outcome == .applied)
            found.append(try Self.weights(chain))
        }
        #expect(chain.optimizer.step == schedule.steps)
        let n = Double(draws)
        let centre = (0..<d).map { i in found.reduce(0) { $0 + $1[i] } / n }
        for i in 0..<d {
            #expect(
                abs(centre[i] - mean[i]) < 5 * (covariance[i][i] / n).squareRoot(),
                "mean \(i): \(centre[i]), not \(mean[i])")
            for j in 0...i {
                let measured = found.reduce(0) { $0 + ($1[i] - centre[i]) * ($1[j] - centre[j]) } / (n - 1)
                let error =
                    ((covariance[i][i] * covariance[j][j] + covariance[i][j] * covariance[i][j]) / n)
                    .squareRoot()
                #expect(
                    abs(measured - covariance[i][j]) < 5 * error,
                    "covariance \(i), \(j): \(measured), not \(covariance[i][j])")
            }
        }
        #expect(try chain.step(measuring: true).energy?.isFinite == true)
    }

    /// IVON finds the normal distribution with independent weights that is nearest: the mean of the posterior, and the inverse of
    /// the precision's diagonal. Its draws have that width.
    @Test func variationalPosteriorOfARegression() throws {
        let problem = try Regression(seed: 42)
        let steps = 12_000
        let schedule = SamplingSchedule(steps: steps)
        let rule = IVON(
            learningRate: Scheduled(LinearSchedule(from: 0.1, to: 0, steps: .steps(steps))),
            effectiveSampleSize: nil, initialHessian: 2, beta2: 0.9995)
        let chain = try #require(
            try Self.chain(problem, Variational(draws: 4000), rule, schedule, batchSize: Regression.points)
                .gathering)
        for _ in 0..<steps { _ = try chain.step(measuring: false) }
        let deviations = try #require(chain.optimizer.posteriorDeviations).flatMap(\.self)
        let exact = (0..<4).map { i in
            1
                / (problem.x.reduce(0) { $0 + $1[i] * $1[i] } / (Regression.noise * Regression.noise) + 1
                    / (Regression.prior * Regression.prior))
        }
        let mean = problem.posterior.mean
        let end = try Self.weights(chain)
        for i in 0..<4 {
            #expect(
                abs(deviations[i] * deviations[i] / exact[i] - 1) < 0.15,
                "variance \(i): \(deviations[i] * deviations[i]), not \(exact[i])")
            #expect(abs(end[i] - mean[i]) < 0.3 * deviations[i], "mean \(i): \(end[i]), not \(mean[i])")
        }
        try Self.expectDraws(of: chain, around: end, deviations)
    }

    /// bSAM's width is where its own equation stands still, s = √s·E|g| + δ + γ. On a quadratic loss of Hessian H, with whole batches
    /// and θ at the posterior's mean μ, g is normal: of mean −δμᵢ and variance Σⱼ Hᵢⱼ²/(Nsⱼ). That is not the exact posterior's
    /// width: s goes with H/√N, where the precision over N is H + δ.
    @Test(arguments: [0, 0.1]) func widthOfBSAM(damping: Double) throws {
        let problem = try Regression(seed: 44)
        let steps = 12_000
        let rule = BSAM(
            learningRate: Scheduled(LinearSchedule(from: 0.1, to: 0, steps: .steps(steps))),
            effectiveSampleSize: nil, beta2: 0.9995, damping: Scheduled(damping))
        let chain = try #require(
            try Self.chain(
                problem, Variational(draws: 4000), rule, SamplingSchedule(steps: steps),
                batchSize: Regression.points
            ).gathering)
        for _ in 0..<steps { _ = try chain.step(measuring: false) }

        let size = Double(Regression.points)
        let hessian = (0..<4).map { i in
            (0..<4).map { j in
                problem.x.reduce(0) { $0 + $1[i] * $1[j] } / (size * Regression.noise * Regression.noise)
            }
        }
        let delta = 1 / (size * Regression.prior * Regression.prior)
        let mean = problem.posterior.mean
        var s = [Double](repeating: 1, count: 4)
        for _ in 0..<1000 {
            s = (0..<4).map { i in
                let spread = (0..<4).reduce(0) { $0 + hessian[i][$1] * hessian[i][$1] / (size * s[$1]) }
                    .squareRoot()
                let z = -delta * mean[i] / spread
                // E|g| of a normal g.
                let size =
                    spread * ((2 / Double.pi).squareRoot() * exp(-z * z / 2) + z * erf(z / 2.0.squareRoot()))
                return s[i].squareRoot() * size + delta + damping
            }
        }
        let deviations = try #require(chain.optimizer.posteriorDeviations).flatMap(\.self)
        let end = try Self.weights(chain)
        for i in 0..<4 {
            let ratio = deviations[i] * deviations[i] * size * s[i]
            #expect(abs(ratio - 1) < 0.06, "variance \(i): \(ratio) of 1/(Ns) at s = \(s[i])")
            #expect(abs(end[i] - mean[i]) < 0.1 * deviations[i], "mean \(i): \(end[i]), not \(mean[i])")
            // Another width than the one above, so that the two cannot be taken for each other.
            #expect(s[i] < 0.5 * (hessian[i][i] + delta))
        }
        try Self.expectDraws(of: chain, around: end, deviations)
    }

    /// U of a step is that of θ, also where the step evaluates it at a sample of a wide distribution.
    @Test func theEnergyIsThatOfTheMean() throws {
        let problem = try Regression(seed: 45)
        let rule = IVON(effectiveSampleSize: nil, initialHessian: 1e-6)
        let (chain, _) = try Self.chain(
            problem, Variational(), rule, SamplingSchedule(steps: 10), batchSize: 16)
        for step in 0..<3 {
            let wanted = try chain.energy(withBatchOf: step)
            #expect(try chain.step(measuring: true).energy == wanted)
        }
    }

    /// On a convex problem every member is the maximum of the posterior, wherever it begins; on another they differ.
    @Test func membersAreMaximaOfThePosterior() throws {
        let problem = try Regression(seed: 43)
        let steps = 2000
        let rule = Adam(learningRate: Scheduled(CosineSchedule(from: 0.05, to: 0, steps: .steps(steps))))
        var ends: [[Double]] = []
        for number in 0..<3 {
            let (chain, gathering) = try Self.chain(
                problem, DeepEnsemble(), rule, SamplingSchedule(steps: steps), batchSize: Regression.points,
                number: number)
            #expect(gathering == nil)
            for _ in 0..<steps { _ = try chain.step(measuring: false) }
            ends.append(try Self.weights(chain))
        }
        for (i, exact) in problem.posterior.mean.enumerated() {
            for end in ends { #expect(abs(end[i] - exact) < 1e-3, "weight \(i): \(end[i]), not \(exact)") }
        }
        let schedule = try DeepEnsemble().schedule(SamplingSchedule(steps: steps))
        #expect(schedule.draws == 1 && schedule.keeps(after: steps))
    }

    /// A guard and a controller that follow the loss are shown it, with libtorch's graph and without.
    @Test(arguments: [false, true]) func guardsAndControllersSeeTheLoss(_ graph: Bool) throws {
        let problem = try Regression(seed: 46)
        let model = graph ? MLP(hidden: [4], dropout: 0.1) : MLP(hidden: [])
        let schedule = SamplingSchedule(steps: 400, burnIn: 100)
        for posterior in [DeepEnsemble(), SWAG()] as [any PosteriorApproximation] {
            // Steps that overshoot: the loss jumps until the guard gives up.
            let (guarded, _) = try Self.chain(
                problem, posterior,
                PerturbedEquation(
                    rule: SGD(learningRate: 30),
                    stability: Stability(rollbackOnSpike: SpikeGuard(minimumHistory: 2, attempts: 3))),
                schedule, batchSize: Regression.points, model: model)
            #expect(guarded.isFused == !graph)
            #expect(throws: DivergenceError.self) {
                for _ in 0..<100 { _ = try guarded.step(measuring: false) }
            }
            #expect(guarded.optimizer.counts.rolledBack == 3)

            // Steps that lead nowhere: the loss does not fall.
            let (controlled, _) = try Self.chain(
                problem, posterior,
                PerturbedEquation(
                    rule: SGD(learningRate: 1e-9),
                    controllers: [Plateau(scales: .learningRate, factor: 0.5, patience: 1, window: 1)]),
                schedule, batchSize: Regression.points, model: model)
            for _ in 0..<100 { _ = try controlled.step(measuring: false) }
            #expect(controlled.optimizer.controllers[0].factor < 0.1)
        }
    }

    /// What is shown of η has the controllers' factor in it.
    @Test func theStepSizeThatIsShownIsTheOneTaken() throws {
        let directory = try TemporaryDirectory()
        let equation = PerturbedEquation(
            rule: SGD(learningRate: 1e-9),
            controllers: [Plateau(scales: .learningRate, factor: 0.5, patience: 0, window: 4)])
        let sampler = try Self.plan(DeepEnsemble(), equation).sampler(to: directory.url, threads: 1)
        #expect(sampler.learningRate == 1e-9)
        try sampler.advance(by: 50)
        let factor = sampler.chains[0].optimizer.controllers[0].factor
        #expect(factor < 1 && sampler.learningRate == 1e-9 * factor)
    }

    // MARK: Whole runs

    /// A run's plan on the built-in digits.
    private static func plan(_ posterior: any PosteriorApproximation, _ rule: any UpdateRule) throws
        -> SamplingPlan
    { try plan(posterior, PerturbedEquation(rule: rule)) }

    private static func plan(_ posterior: any PosteriorApproximation, _ equation: PerturbedEquation) throws
        -> SamplingPlan
    {
        var settings = SamplingSettings(
            schedule: posterior is SWAG
                ? SamplingSchedule(steps: 60, burnIn: 20, thin: 4) : SamplingSchedule(steps: 60))
        settings.chains = 2
        settings.probes = 3
        let data = try DatasetCatalogue.load("digits")
        return try SamplingPlan(
            name: "test", modelName: "mlp", data: data, prior: NamedPrior(GaussianPrior(deviation: 0.4)),
            likelihood: nil, posterior: NamedPosterior(posterior), equation: equation, settings: settings
        ) { try MLP(hidden: [6]).build(for: data.kind, seed: $0) }
    }

    /// Saved at any moment, before and among the draws, and gone on with: the same files.
    @Test(arguments: [0, 1, 2, 3, 4]) func resumedWithTheSameBits(_ index: Int) throws {
        let cases: [(any PosteriorApproximation, PerturbedEquation)] = [
            (SWAG(rank: 3, draws: 40), PerturbedEquation(rule: Momentum(learningRate: 0.05))),
            (
                Variational(draws: 40),
                PerturbedEquation(rule: IVON(effectiveSampleSize: nil, beta2: 0.99))
            ),
            (DeepEnsemble(), PerturbedEquation(rule: Adam(learningRate: 0.01))),
            (
                Variational(draws: 40),
                PerturbedEquation(rule: BSAM(learningRate: 0.01, effectiveSampleSize: nil))
            ),
            // What follows the loss remembers it.
            (
                DeepEnsemble(),
                PerturbedEquation(
                    rule: Momentum(learningRate: 0.4),
                    stability: Stability(
                        rollbackOnSpike: SpikeGuard(
                            deviations: 3, window: 10, minimumHistory: 4, snapshotEvery: 5, attempts: 100)),
                    controllers: [Plateau(scales: .learningRate, factor: 0.7, patience: 0, window: 5)])
            ),
        ]
        let (posterior, rule) = cases[index]
        var random = SeededGenerator()
        let directory = try TemporaryDirectory()
        func folder(_ name: String) throws -> URL {
            let url = directory.file(name)
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
            return url
        }
        func files(_ url: URL) throws -> [String: Data] {
            try FileManager.default.contentsOfDirectory(atPath: url.path).reduce(into: [:]) {
                $0[$1] = try Data(contentsOf: url.appendingPathComponent($1))
            }
        }
        let whole = try Self.plan(posterior, rule).sampler(to: folder("whole"), threads: 2)
        while !whole.isFinished { try whole.advance(by: 1000) }
        let wanted = try files(directory.file("whole"))
        #expect(!wanted.isEmpty)
        for round in 0..<3 {
            let name = "resumed-\(round)"
            var sampler = try Self.plan(posterior, rule).sampler(to: folder(name), threads: 1)
            var stops = (0..<3).map { _ in Int.random(in: 1...99, using: &random) }.sorted()
            while !sampler.isFinished {
                let next = stops.isEmpty ? 1000 : stops.removeFirst()
                while sampler.step < next, !sampler.isFinished {
                    try sampler.advance(by: max(1, next - sampler.step))
                }
                guard !sampler.isFinished else { break }
                let file = directory.file("state.safetensors")
                try SafetensorsFile.write(
                    try sampler.stateSources(), metadata: try sampler.stateMetadata(), to: file)
                // Steps that are lost.
                try sampler.advance(by: 7)
                sampler = try Self.plan(posterior, rule).sampler(to: directory.file(name), threads: 1)
                try sampler.restore(from: SafetensorsFile(contentsOf: file))
            }
            #expect(try files(directory.file(name)) == wanted, "PEO_TEST_SEED=\(random.seed)")
        }
        let samples = try Samples(contentsOf: directory.file("whole"))
        #expect(samples.chains == 2 && samples.draws == (posterior is DeepEnsemble ? 1 : 40))
        // Chains end elsewhere, and draws differ.
        let first = try samples.elements([0, 5], of: samples.parameters[0].name)
        for chains in first { #expect(Set(chains.draws.joined()).count == 2 * samples.draws) }
    }

    @Test func aStateOfAnotherRankIsRefused() throws {
        let directory = try TemporaryDirectory()
        let rule = Momentum(learningRate: 0.05)
        let one = try Self.plan(SWAG(rank: 3, draws: 40), rule).sampler(to: directory.url, threads: 1)
        try one.advance(by: 30)
        let file = directory.file("state.safetensors")
        try SafetensorsFile.write(try one.stateSources(), metadata: try one.stateMetadata(), to: file)
        let other = try Self.plan(SWAG(rank: 4, draws: 40), rule).sampler(to: directory.url, threads: 1)
        let error = #expect(throws: SafetensorsError.self) {
            try other.restore(from: SafetensorsFile(contentsOf: file))
        }
        #expect(error?.message.contains("swag/columns/") == true, "\(error?.message ?? "")")
    }
}
