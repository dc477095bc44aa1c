import Datasets
import Foundation
import Statistics
import TorchNN
import Training

/// What the posterior predictive distribution of numbers is worth, and how sure it is. In the numbers' own unit.
///
/// ```
/// p(y|x, data) ≈ (1/S)·Σₛ N(y; μₛ(x), σ²)
/// Var[y] = σ² + (1/S)·Σₛ (μₛ − E[y])²
/// ```
///
/// σ is the likelihood's deviation. Where y = m + d·z of a standardised z, log p(y) = log p(z) − log d.
public struct NumberPosterior: Codable, Sendable, Equatable {
    /// A credible interval between two quantiles of p(y|x, data).
    public struct CredibleInterval: Codable, Sendable, Equatable {
        /// The share of numbers that should lie in it.
        public var level: Double
        /// The share that does.
        public var coverage: Double
        /// Its mean width.
        public var width: Double
    }

    /// A member by itself, on average.
    public struct Member: Codable, Sendable, Equatable {
        public var rmse: Double
        /// Never above the ensemble's, by Jensen's inequality.
        public var logDensity: Double
    }

    /// S, and the examples.
    public var members: Int
    public var count: Int
    /// √ of the mean squared error of E[y], and its mean absolute error.
    public var rmse: Double
    public var mae: Double
    /// The mean log predictive density, in nats.
    public var logDensity: Double
    /// σ², aleatoric, and the mean of (1/S)·Σₛ (μₛ − E[y])², epistemic.
    public var aleatoricVariance: Double
    public var epistemicVariance: Double
    /// At the levels 50%, 90% and 95%.
    public var intervals: [CredibleInterval]
    /// The share of numbers within the central interval of the levels 5%, 10%, … 95%.
    public var coverages: [Double]
    public var meanMember: Member

    private static let levels = [0.5, 0.9, 0.95]
    /// The levels of ``coverages``.
    public static let coverageLevels = (1...19).map { Double($0) / 20 }

    /// - Parameters:
    ///   - deviation: σ > 0, standardised.
    ///   - scale: what standardised numbers stand for.
    /// - Precondition: there is an example.
    public init(_ predictions: NumberPredictions, deviation: Double, scale: TargetScale) {
        let (members, count) = (predictions.members, predictions.count)
        precondition(count > 0, "a predictive distribution of no number")
        let deviations = [Double](repeating: deviation, count: members)
        var (squares, sizes, logs, epistemic) = (0.0, 0.0, 0.0, 0.0)
        var widths = Self.levels.map { _ in 0.0 }
        // P(Y ≤ y): y lies in the central interval of a level where this is within (1 ± level)/2.
        var cumulatives: [Double] = []
        var memberSquares = [Double](repeating: 0, count: members)
        for example in 0..<count {
            let y = Double(predictions.targets[example])
            let mixture = NormalMixture(means: predictions.means(of: example), deviations: deviations)
            let error = mixture.mean - y
            squares += error * error
            sizes += abs(error)
            logs += mixture.logDensity(y)
            epistemic += mixture.epistemicVariance
            cumulatives.append(mixture.cumulative(y))
            for (number, level) in Self.levels.enumerated() {
                let interval = mixture.interval(level: level)
                widths[number] += interval.upper - interval.lower
            }
            for (member, mean) in mixture.means.enumerated() {
                memberSquares[member] += (mean - y) * (mean - y)
            }
        }
        let (n, unit) = (Double(count), scale.deviation)
        func coverage(_ level: Double) -> Double {
            Double(cumulatives.count { abs($0 - 0.5) <= level / 2 }) / n
        }
        self.members = members
        self.count = count
        rmse = (squares / n).squareRoot() * unit
        mae = sizes / n * unit
        logDensity = logs / n - log(unit)
        aleatoricVariance = deviation * deviation * unit * unit
        epistemicVariance = epistemic / n * unit * unit
        intervals = zip(Self.levels, widths).map {
            CredibleInterval(level: $0, coverage: coverage($0), width: $1 / n * unit)
        }
        coverages = Self.coverageLevels.map(coverage)
        let constant = log(deviation * unit) + 0.5 * log(2 * Double.pi)
        meanMember = Member(
            rmse: Sample.mean(memberSquares.map { ($0 / n).squareRoot() * unit }),
            logDensity: Sample.mean(memberSquares.map { -0.5 * $0 / (n * deviation * deviation) - constant }))
    }

    /// Measures an ensemble on a part of the data; the model is left with the last member's weights.
    ///
    /// - Parameter deviation: σ > 0 of the likelihood, standardised as the numbers are.
    /// - Throws, Precondition: as ``NumberPredictions/collect(_:_:on:of:progress:)``.
    public static func measure(
        _ members: any PredictiveMembers, _ model: any Module, deviation: Double, on split: DataSplit,
        of kind: ExampleKind
    ) throws -> NumberPosterior {
        let predictions = try NumberPredictions.collect(members, model, on: [split], of: kind)[0]
        return NumberPosterior(predictions, deviation: deviation, scale: kind.target.scale ?? TargetScale())
    }
}
