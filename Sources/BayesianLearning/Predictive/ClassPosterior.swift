import Datasets
import Statistics
import TorchNN
import Training

/// What the posterior predictive distribution p̄ of a classifier is worth, and how sure it is. Means over the examples; entropies
/// in nats.
///
/// ```swift
/// let members = SampleMembers(try Samples(contentsOf: run.samples))
/// let found = try ClassPosterior.measure(members, model, on: data.test, of: data.kind)
/// print(found.quality.loss, found.mutualInformation)
/// ```
public struct ClassPosterior: Codable, Sendable, Equatable {
    /// A member by itself, on average: what the mean over members is to be compared with.
    public struct Member: Codable, Sendable, Equatable {
        public var accuracy: Double
        /// The mean of −log p(y), in nats: never below the ensemble's, by Jensen's inequality.
        public var loss: Double
    }

    /// S.
    public var members: Int
    /// Accuracy, Brier's score and calibration of p̄; its `loss` is the mean of −log p̄(y), the negative log predictive density.
    public var quality: ClassQuality
    /// H[p̄]: all uncertainty of a class.
    public var entropy: Double
    /// (1/S)·Σₛ H[pₛ]: what every member is unsure of, aleatoric.
    public var expectedEntropy: Double
    /// I = H[p̄] − (1/S)·Σₛ H[pₛ]: how much the members disagree, epistemic.
    public var mutualInformation: Double
    public var meanMember: Member
    /// The entropy, and of several members the mutual information too, of right and wrong predictions.
    public var histograms: [UncertaintyHistogram]

    /// - Parameter outside: predictions for examples of another distribution, for the histograms.
    /// - Precondition: the predictions have targets.
    /// - Throws: `ModelError` for predictions that are not finite.
    public init(_ predictions: ClassPredictions, outside: ClassPredictions? = nil) throws {
        guard let targets = predictions.targets else {
            preconditionFailure("predictions without targets")
        }
        var sums = ClassQuality.Sums(classes: predictions.classes)
        try sums.add(predictions.logProbabilities, targets: targets)
        members = predictions.members
        quality = sums.quality
        entropy = Sample.mean(predictions.entropies)
        expectedEntropy = Sample.mean(predictions.expectedEntropies)
        mutualInformation = Sample.mean(predictions.mutualInformations)
        meanMember = Member(
            accuracy: Sample.mean(predictions.memberAccuracies), loss: Sample.mean(predictions.memberLosses))
        histograms = UncertaintyHistogram.all(of: predictions, outside: outside)
    }

    /// Measures an ensemble on a part of the data; the model is left with the last member's weights.
    /// - Throws, Precondition: as ``ClassPredictions/collect(_:_:on:of:progress:)``.
    public static func measure(
        _ members: any PredictiveMembers, _ model: any Module, on split: DataSplit, of kind: ExampleKind
    ) throws -> ClassPosterior {
        try ClassPosterior(ClassPredictions.collect(members, model, on: [(split, true)], of: kind)[0])
    }
}
