import Foundation
import PerturbedEquations
import PosteriorSampling
import Statistics
import TestSupport
import Testing

/// Potentials of linear models: what they sample, and what they refuse.
@Suite struct LinearModelTests {
    private static func normal(_ count: Int, seed: UInt64) -> [Double] {
        var values = [Double](repeating: 0, count: count)
        var span = values.mutableSpan
        NoiseStream(key: NoiseKey(seed: seed), step: 0, parameter: 0, term: 0).fill(&span, with: .normal)
        return values
    }

    /// The posterior of one weight and an intercept, by the formula for two unknowns.
    @Test func linearRegressionIsItsPosterior() throws {
        let (points, noise, prior) = (40, 0.5, 0.8)
        let x = Self.normal(points, seed: 3)
        let errors = Self.normal(points, seed: 4)
        let y = (0..<points).map { 1.2 * x[$0] - 0.4 + noise * errors[$0] }
        let potential = try Potential<Double>.linearRegression(
            DesignMatrix(rows: x, columns: 1), targets: y, deviation: noise,
            prior: GaussianPrior(deviation: prior))
        var sampler = PosteriorSampler(
            potential, rule: SGHMC(learningRate: 2e-4, friction: 0.1),
            schedule: SamplingSchedule(steps: 40_000, burnIn: 2000, thin: 20))
        sampler.functions.append(ChainFunction("product") { $0[0] * $0[1] })
        let samples = try sampler.sample()
        let precision = 1 / (noise * noise)
        let (xx, sx) = (x.reduce(0) { $0 + $1 * $1 }, x.reduce(0, +))
        let (xy, sy) = (zip(x, y).reduce(0) { $0 + $1.0 * $1.1 }, y.reduce(0, +))
        let (a, b, c) = (
            precision * xx + 1 / (prior * prior), precision * sx,
            precision * Double(points) + 1 / (prior * prior)
        )
        let determinant = a * c - b * b
        let mean = [
            precision * (c * xy - b * sy) / determinant, precision * (a * sy - b * xy) / determinant,
        ]
        for (name, exact) in [
            ("theta[0]", mean[0]), ("theta[1]", mean[1]), ("product", mean[0] * mean[1] - b / determinant),
            ("energy", try energy(at: mean, x, y, noise, prior) + 1),
        ] {
            let found = ChainDiagnostics(try samples.function(name))
            #expect(
                abs(found.mean - exact) < 5 * found.meanError,
                "\(name): \(found.mean) ± \(found.meanError), exact \(exact)")
        }
        let deviation = ChainDiagnostics(try samples.function("theta[0]")).deviation
        #expect(abs(deviation / (c / determinant).squareRoot() - 1) < 0.05, "\(deviation)")
    }

    private func energy(
        at theta: [Double], _ x: [Double], _ y: [Double], _ noise: Double, _ prior: Double
    ) throws -> Double {
        zip(x, y).reduce(0.0) { sum, point in
            let error = theta[0] * point.0 + theta[1] - point.1
            return sum + 0.5 * error * error / (noise * noise) + log(noise) + 0.5 * log(2 * Double.pi)
        } + theta.reduce(0) { $0 + GaussianPrior(deviation: prior).energy($1) }
    }

    /// Zeros and ones in all forms, and a closure of the same model: the same chains.
    @Test func logisticRegressionInEveryForm() throws {
        let (rows, columns) = (150, 40)
        let values = Self.normal(rows * columns, seed: 5).map { $0 > 1.3 ? 1 : 0 as Float }
        let labels = Self.normal(rows, seed: 6).map { $0 > 0 }
        let dense = try DesignMatrix(rows: values, columns: columns)
        var (starts, indices) = ([0], [Int]())
        for row in 0..<rows {
            indices += (0..<columns).filter { values[row * columns + $0] == 1 }
            starts.append(indices.count)
        }
        let sparse = try DesignMatrix<Float>(starts: starts, indices: indices, columns: columns)
        let bits = try dense.compact()
        #expect(dense.form == .dense && bits.form == .bits && sparse.form == .sparse)

        func draws(_ potential: Potential<Float>) throws -> [[Double]] {
            var sampler = PosteriorSampler(
                potential, rule: SGLD(learningRate: 0.01),
                schedule: SamplingSchedule(steps: 60, burnIn: 0, thin: 4))
            sampler.chains = 2
            return try ["energy", "theta[0]", "theta[31]"].flatMap { try sampler.sample().function($0).draws }
        }
        for size in [32, nil] {
            func potential(_ features: DesignMatrix<Float>) throws -> Potential<Float> {
                try .logisticRegression(features, labels: labels, prior: GaussianPrior(), batchSize: size)
            }
            let expected = try draws(potential(dense))
            #expect(try draws(potential(bits)) == expected)
            let others = [
                try draws(potential(sparse)),
                try draws(
                    Potential(
                        dimension: columns + 1, examples: rows, batchSize: size ?? rows,
                        prior: GaussianPrior()
                    ) { theta, batch, gradient in
                        var sum = 0.0
                        for place in 0..<batch.count {
                            let row = batch[place]
                            var z = Double(theta[columns])
                            for i in 0..<columns { z += Double(theta[i] * values[row * columns + i]) }
                            let y = labels[row] ? 1.0 : -1
                            sum += log1p(exp(-y * z))
                            let slope = Float(-y / (1 + exp(y * z)))
                            for i in 0..<columns { gradient[i] += slope * values[row * columns + i] }
                            gradient[columns] += slope
                        }
                        return sum
                    }),
            ]
            for (number, found) in others.enumerated() where number == 0 || size != nil {
                for (a, b) in zip(found.joined(), expected.joined()) {
                    #expect(abs(a - b) < 2e-4 * max(1, abs(b)), "\(number), batches of \(size ?? rows)")
                }
            }
        }
    }

    @Test func theCheapestForm() throws {
        func form(_ density: Double, _ value: Double) throws -> DesignMatrix<Double>.Form {
            let limit = Normal.quantile(1 - density)
            let rows = Self.normal(4000, seed: 8).map { $0 > limit ? value : 0 }
            return try DesignMatrix(rows: rows, columns: 40).compact().form
        }
        #expect(try form(0.01, 1) == .sparse && form(0.05, 1) == .bits && form(0.5, 1) == .bits)
        #expect(try form(0.05, 0.5) == .sparse && form(0.2, 0.5) == .dense)
    }

    @Test func badInputIsNamed() throws {
        func message(_ body: () throws -> Void) -> String {
            do { try body() } catch { return "\(error)" }
            return "accepted"
        }
        let features = try DesignMatrix<Double>(rows: [1, 2, 3, 4], columns: 2)
        for (wanted, body) in [
            ("rows", { _ = try DesignMatrix<Double>(rows: [1, 2, 3], columns: 2) }),
            ("row 1, column 0", { _ = try DesignMatrix<Double>(rows: [1, 2, .nan, 3], columns: 2) }),
            ("columns", { _ = try DesignMatrix<Double>(rows: [1], columns: 0) }),
            ("starts", { _ = try DesignMatrix<Double>(starts: [0, 2], indices: [0], columns: 2) }),
            (
                "after row 1",
                { _ = try DesignMatrix<Double>(starts: [0, 2, 1, 2], indices: [0, 1], columns: 2) }
            ),
            ("0 … 1", { _ = try DesignMatrix<Double>(starts: [0, 1], indices: [2], columns: 2) }),
            (
                "values",
                { _ = try DesignMatrix<Double>(starts: [0, 1], indices: [1], values: [1, 2], columns: 2) }
            ),
            (
                "labels",
                {
                    _ = try Potential.logisticRegression(features, labels: [true], prior: GaussianPrior())
                }
            ),
            (
                "batchSize",
                {
                    _ = try Potential.logisticRegression(
                        features, labels: [true, false], prior: GaussianPrior(), batchSize: 3)
                }
            ),
            (
                "deviation",
                {
                    _ = try Potential.linearRegression(
                        features, targets: [0, 1], deviation: 0, prior: GaussianPrior())
                }
            ),
            (
                "targets",
                {
                    _ = try Potential.linearRegression(
                        features, targets: [0, .infinity], deviation: 1, prior: GaussianPrior())
                }
            ),
        ] as [(String, () throws -> Void)] {
            #expect(message(body).contains(wanted), "\(wanted): \(message(body))")
        }
    }
}
