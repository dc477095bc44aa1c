import Foundation
import ReinforcementLearning
import Safetensors
import TestSupport
import Testing
import Torch

@Suite struct SquashedGaussianTests {
    /// torch.distributions' Normal under a TanhTransform, in float64.
    private static let script = """
        import json, sys, torch
        from torch.distributions import Independent, Normal, TransformedDistribution
        from torch.distributions.transforms import TanhTransform
        case = json.load(open(sys.argv[1]))
        u, mean, log = (torch.tensor(case[k], dtype=torch.float64).reshape(-1, 3) for k in ("u", "mean", "log"))
        squashed = TransformedDistribution(Normal(mean, log.exp()), [TanhTransform(cache_size=1)])
        a = squashed.transforms[0](u)
        print(json.dumps(Independent(squashed, 1).log_prob(a).tolist()))
        """

    @Test func itsDensityIsThatOfTorchDistributions() throws {
        var generator = SeededGenerator()
        let seed = generator.seed
        func draw(_ range: ClosedRange<Double>) -> [Double] {
            (0..<3 * 200).map { _ in Double.random(in: range, using: &generator) }
        }
        // Up to where tanh is 1 to within 1e-10: torch's own form of the slope holds there in float64.
        let numbers = ["u": draw(-12...12), "mean": draw(-3...3), "log": draw(-5...2)]
        let directory = try TemporaryDirectory()
        try JSONEncoder().encode(numbers).write(to: directory.file("case.json"))
        let theirs = try JSONDecoder().decode(
            [Double].self, from: Data(ParityPython.run(Self.script, directory.file("case.json").path).utf8))
        func tensor(_ name: String) throws -> Tensor { try Tensor(numbers[name] ?? [], shape: [200, 3]) }
        let ours = try SquashedGaussian.logDensity(
            of: tensor("u"), mean: tensor("mean"), logDeviation: tensor("log")
        ).array(of: Double.self)
        #expect(ours.count == 200 && theirs.count == 200)
        for (a, b) in zip(ours, theirs) {
            #expect(abs(a - b) <= 1e-9 * max(1, abs(b)), "\(a) and \(b), seed \(seed)")
        }
    }

    @Test(arguments: [(0.0, 0.0), (1.5, -1.0), (-0.7, 0.5), (2.5, -2.0)])
    func itsDensityIntegratesToOne(_ mean: Double, _ logDeviation: Double) throws {
        // The midpoint rule over a in −1 … 1.
        let n = 200_000
        let a = (0..<n).map { -1 + (Double($0) + 0.5) * 2 / Double(n) }
        let u = try Tensor(a.map { atanh($0) }, shape: [n, 1])
        let density = SquashedGaussian.logDensity(
            of: u, mean: try .full([n, 1], mean, dtype: .float64),
            logDeviation: try .full([n, 1], logDeviation, dtype: .float64))
        let integral = density.exp().sum().item() * 2 / Double(n)
        #expect(abs(integral - 1) < 1e-4, "\(integral)")
    }

    @Test func itStaysFiniteWhereTanhIsOne() throws {
        let u = try Tensor([-90, 60, 30] as [Float], shape: [3, 1]).requiringGradient()
        let density = SquashedGaussian.logDensity(
            of: u, mean: try .full([3, 1], 0), logDeviation: try .full([3, 1], 1))
        try density.sum().backward()
        let slope = try #require(u.gradient)
        #expect(try density.array(of: Float.self).allSatisfy(\.isFinite))
        #expect(try slope.array(of: Float.self).allSatisfy(\.isFinite))
    }
}
