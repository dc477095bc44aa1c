import Foundation
import PerturbedEquations
import Training

/// One temperature T for all predictions, fitted on examples that the reported numbers are not of.
///
/// ```
/// q = softmax(log p̄/T),   T = argmin Σᵢ −log qᵢ(yᵢ)
/// ```
///
/// T > 1 where the predictions were too sure. The class of the largest probability stays, and so does the accuracy. The loss is
/// convex in 1/T. Of several members p̄ is scaled, not each member.
///
/// Source: Guo, Pleiss, Sun and Weinberger 2017, On Calibration of Modern Neural Networks; Rahaman and Thiery 2021, Uncertainty
/// Quantification and Deep Ensembles (the mean is scaled, not the members).
public struct TemperatureScaling: Codable, Sendable, Equatable {
    /// What T was fitted on.
    public enum Source: String, Codable, Sendable {
        /// The run's validation part; the numbers are of the whole part that was evaluated.
        case validation
        /// A random half of the part that was evaluated; the numbers are of the other half.
        case half
    }

    public struct Numbers: Codable, Sendable, Equatable {
        public var loss: Double
        public var equalWidthError: Double
        public var equalMassError: Double
    }

    /// T, within ``range``; at one of its ends the loss falls beyond it, as it does where all predictions are right.
    public var temperature: Double
    public var source: Source
    /// The examples that T was fitted on, and those that the numbers are of.
    public var fitted: Int
    public var reported: Int
    /// With T = 1, and with T.
    public var before: Numbers
    public var after: Numbers

    /// Where T is sought.
    public static let range = 0.01...100.0

    /// Fits T on the predictions of one part, and measures it on another's.
    /// - Precondition: both have targets.
    public init(fittedOn validation: ClassPredictions, measuredOn predictions: ClassPredictions) throws {
        try self.init(.validation, validation, predictions)
    }

    /// Fits T on a random half of predictions, and measures it on the other.
    /// - Parameter key: which half.
    /// - Precondition: there are targets, and two examples at least.
    public init(halving predictions: ClassPredictions, key: NoiseKey) throws {
        let order = key.derived("temperature").permutation(of: predictions.count)
        let half = predictions.count / 2
        try self.init(
            .half, predictions.selecting(order.prefix(half).sorted()),
            predictions.selecting(order.dropFirst(half).sorted()))
    }

    private init(_ source: Source, _ fitted: ClassPredictions, _ measured: ClassPredictions) throws {
        temperature = Self.temperature(of: fitted)
        self.source = source
        self.fitted = fitted.count
        reported = measured.count
        before = try Self.numbers(measured, temperature: 1)
        after = try Self.numbers(measured, temperature: temperature)
    }

    private static func numbers(_ predictions: ClassPredictions, temperature: Double) throws -> Numbers {
        var sums = ClassQuality.Sums(classes: predictions.classes)
        try sums.add(
            predictions.logProbabilities.map { $0 / temperature }, targets: predictions.targets ?? [])
        let quality = sums.quality
        return Numbers(
            loss: quality.loss, equalWidthError: quality.calibration.equalWidthError,
            equalMassError: quality.calibration.equalMassError)
    }

    /// The T of the least loss: the loss's derivative by β = 1/T rises with β, and bisection finds where it is 0.
    ///
    /// ```
    /// d/dβ Σᵢ −log qᵢ(yᵢ) = Σᵢ ( Σ_c qᵢ(c)·log p̄ᵢ(c) − log p̄ᵢ(yᵢ) )
    /// ```
    static func temperature(of predictions: ClassPredictions) -> Double {
        guard let targets = predictions.targets else {
            preconditionFailure("predictions without targets")
        }
        let (classes, logs) = (predictions.classes, predictions.logProbabilities)
        func slope(_ beta: Double) -> Double {
            var total = 0.0
            for (example, target) in targets.enumerated() {
                let own = logs[(example * classes)..<((example + 1) * classes)]
                let largest = own.max() ?? 0
                var (sum, mean) = (0.0, 0.0)
                for value in own {
                    let weight = exp(beta * (value - largest))
                    sum += weight
                    mean += weight * value
                }
                total += mean / sum - own[own.startIndex + Int(target)]
            }
            return total
        }
        var (low, high) = (log(1 / range.upperBound), log(1 / range.lowerBound))
        if slope(exp(low)) >= 0 { return range.upperBound }
        if slope(exp(high)) <= 0 { return range.lowerBound }
        while high - low > 1e-10 {
            let middle = (low + high) / 2
            if slope(exp(middle)) < 0 { low = middle } else { high = middle }
        }
        return exp(-(low + high) / 2)
    }
}
