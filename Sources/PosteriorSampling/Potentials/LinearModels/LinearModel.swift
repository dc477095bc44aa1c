import Foundation
import PerturbedEquations

/// The posterior of a generalized linear model, z = w·x + b, whose losses and gradient are computed by vector instructions.
///
/// ```
/// U(θ) = Σᵢ ℓ(zᵢ, yᵢ) − log p(θ),   θ = (w₁ … w_d, b)
/// ```
///
/// ```swift
/// let potential = try Potential.logisticRegression(features, labels: labels, prior: GaussianPrior(), batchSize: 256)
/// var sampler = PosteriorSampler(potential, rule: SGLD(learningRate: 1e-5), schedule: SamplingSchedule(steps: 100_000))
/// ```
///
/// Every bit is the same on any x86-64 machine and for any number of threads.
extension Potential {
    /// Logistic regression: p(y = 1|x, θ) = 1/(1 + exp(−z)), ℓ = log(1 + exp(∓z)).
    ///
    /// - Parameters:
    ///   - features: x, a row for each example; ``DesignMatrix/compact()`` where most of them are zero.
    ///   - labels: y, whether each example is of the second class.
    ///   - intercept: whether there is a b, the last of θ.
    ///   - prior: of all of θ, b too.
    ///   - batchSize: n of each step; all examples unless told.
    /// - Throws: `ConfigurationError` for labels of another number, a batch that is larger than the data, an improper prior.
    public static func logisticRegression(
        _ features: DesignMatrix<Scalar>, labels: [Bool], intercept: Bool = true, prior: any Prior,
        batchSize: Int? = nil
    ) throws -> Potential {
        try require(
            labels.count == features.count, "labels", is: "\(labels.count)",
            allowed: "\(features.count), one for each row")
        return try LinearModel(
            features, targets: labels.map { $0 ? 1 : -1 }, loss: .logistic, hasIntercept: intercept
        ).potential(prior: prior, batchSize: batchSize)
    }

    /// Linear regression with normal noise of a known deviation: p(y|x, θ) = N(z, s²), ℓ = (z − y)²/(2s²) + log s + ½log 2π.
    ///
    /// - Parameters:
    ///   - features: x, a row for each example.
    ///   - targets: y.
    ///   - deviation: s, > 0, in units of y.
    ///   - intercept: whether there is a b, the last of θ.
    ///   - prior: of all of θ, b too.
    ///   - batchSize: n of each step; all examples unless told.
    /// - Throws: `ConfigurationError`, as ``logisticRegression(_:labels:intercept:prior:batchSize:)``.
    public static func linearRegression(
        _ features: DesignMatrix<Scalar>, targets: [Scalar], deviation: Double, intercept: Bool = true,
        prior: any Prior, batchSize: Int? = nil
    ) throws -> Potential {
        try require(
            targets.count == features.count, "targets", is: "\(targets.count)",
            allowed: "\(features.count), one for each row")
        if let place = targets.firstIndex(where: { !$0.isFinite }) {
            throw ConfigurationError(
                "has \(targets[place]) at \(place); allowed: finite numbers", path: "targets")
        }
        try require(
            deviation > 0 && deviation.isFinite, "deviation", is: deviation, allowed: "a finite number > 0")
        return try LinearModel(
            features, targets: targets, loss: .gaussian(deviation: deviation), hasIntercept: intercept
        ).potential(prior: prior, batchSize: batchSize)
    }
}

/// Features, targets and a loss; read by all chains.
private final class LinearModel<Scalar: EquationScalar>: @unchecked Sendable {
    private let features: DesignMatrix<Scalar>
    private let targets: UnsafeMutableBufferPointer<Scalar>
    private let rows: LinearRows<Scalar>
    private let loss: LinearLoss
    private let hasIntercept: Bool

    init(_ features: DesignMatrix<Scalar>, targets given: [Scalar], loss: LinearLoss, hasIntercept: Bool) {
        self.features = features
        self.loss = loss
        self.hasIntercept = hasIntercept
        targets = .allocate(capacity: given.count)
        _ = targets.initialize(fromContentsOf: given)
        rows = features.linearRows(targets: UnsafePointer(targets.baseAddress!))
    }

    deinit { targets.deallocate() }

    /// What of a loss does not depend on θ.
    private var constant: Double {
        switch loss {
        case .logistic: 0
        case .gaussian(let deviation): log(deviation) + 0.5 * log(2 * Double.pi)
        }
    }

    func potential(prior: any Prior, batchSize: Int?) throws -> Potential<Scalar> {
        let dimension = features.columns + (hasIntercept ? 1 : 0)
        let constant = constant
        guard let batchSize else {
            let all = Array(0..<features.count)
            return try Potential(dimension: dimension, prior: prior) { theta, gradient in
                self.losses(theta, all.span, &gradient) + Double(all.count) * constant
            }
        }
        return try Potential(
            dimension: dimension, examples: features.count, batchSize: batchSize, prior: prior
        ) { theta, batch, gradient in
            self.losses(theta, batch, &gradient) + Double(batch.count) * constant
        }
    }

    private func losses(
        _ theta: Span<Scalar>, _ batch: Span<Int>, _ gradient: inout MutableSpan<Scalar>
    ) -> Double {
        theta.withUnsafeBufferPointer { theta in
            batch.withUnsafeBufferPointer { batch in
                gradient.withUnsafeMutableBufferPointer {
                    rows.losses(loss, at: theta, hasIntercept: hasIntercept, batch: batch, gradient: $0)
                }
            }
        }
    }
}
