import Datasets
import Foundation
import PerturbedEquations
import PosteriorSampling
import Torch
import TorchNN

/// p(y|x, θ) of one example, from what a network gives for it.
///
/// ```yaml
/// likelihood: categorical
/// likelihood: {gaussian: {deviation: 0.3}}
/// ```
public enum Likelihood: Sendable, Hashable {
    /// A class: p(y) = softmax(scores)_y.
    case categorical
    /// A number: p(y) = N(prediction, s²), s in units of the standardised numbers.
    case gaussian(deviation: Double)

    /// The mean of −log p(yᵢ|xᵢ, θ) over a batch, in nats, with its constant; a scalar.
    func meanLoss(_ output: Tensor, _ targets: Tensor) -> Tensor {
        switch self {
        case .categorical: Loss.crossEntropy()(output, targets)
        case .gaussian(let deviation): output.meanSquaredError(targets) * (0.5 / (deviation * deviation))
        }
    }

    /// What ``meanLoss(_:_:)`` leaves out: it has no gradient.
    var constant: Double {
        switch self {
        case .categorical: 0
        case .gaussian(let deviation): log(deviation) + 0.5 * log(2 * Double.pi)
        }
    }

    /// The likelihood of data, with what a configuration says of it.
    ///
    /// - Throws: `ConfigurationError` where it does not fit the targets, or is not said and has to be.
    public static func of(_ kind: ExampleKind, given: Likelihood?) throws -> Likelihood {
        switch (kind.target, given) {
        case (.oneClass, nil), (.oneClass, .categorical): return .categorical
        case (.number, .gaussian(let deviation)):
            try within("likelihood.gaussian") { try requireDeviation(deviation) }
            return .gaussian(deviation: deviation)
        case (.number, nil):
            throw ConfigurationError(
                "is missing, and the data's targets are numbers, whose noise has a size; allowed: {gaussian: {deviation: "
                    + "s}}, s in units of the standardised numbers", path: "likelihood")
        case (.oneClass, .gaussian):
            throw ConfigurationError(
                "is gaussian, and the data's targets are classes; allowed: categorical, or left out",
                path: "likelihood")
        case (.number, .categorical):
            throw ConfigurationError(
                "is categorical, and the data's targets are numbers; allowed: {gaussian: {deviation: s}}",
                path: "likelihood")
        case (.classPerToken, _):
            throw ConfigurationError(
                "are tokens of overlapping windows, which are no independent examples; allowed: data with one class or one "
                    + "number for each example", path: "data")
        }
    }
}

extension Likelihood {
    private static func requireDeviation(_ deviation: Double) throws {
        try require(
            deviation > 0 && deviation.isFinite, "deviation", is: deviation, allowed: "a finite number > 0")
        try requireSquare("deviation", deviation)
    }
}

extension Likelihood: Codable {
    private enum CodingKeys: String, CodingKey { case categorical, gaussian }
    private struct Deviation: Codable { var deviation: Double }

    public init(from decoder: any Decoder) throws {
        if let name = try? decoder.singleValueContainer().decode(String.self) {
            guard name == "categorical" else {
                throw ConfigurationError(
                    name == "gaussian"
                        ? "is gaussian without its noise; allowed: {gaussian: {deviation: s}}"
                        : "is \(name); allowed: categorical, {gaussian: {deviation: s}}")
            }
            self = .categorical
            return
        }
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let found = try container.decode(Deviation.self, forKey: .gaussian).deviation
        try within("gaussian") { try Self.requireDeviation(found) }
        self = .gaussian(deviation: found)
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .categorical:
            var container = encoder.singleValueContainer()
            try container.encode("categorical")
        case .gaussian(let deviation):
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(Deviation(deviation: deviation), forKey: .gaussian)
        }
    }
}
