import Foundation
import PerturbedEquations

/// A set of examples in memory, in two or three parts: train, validation if asked for, and test.
public struct Dataset: Sendable {
    /// The name in the catalogue, such as `fashion-mnist`.
    public let name: String
    /// What one example is.
    public let kind: ExampleKind
    /// What each class means, a token's text where classes are tokens; class k is `classNames[k]`.
    public let classNames: [String]
    /// Examples to fit parameters with.
    public let train: DataSplit
    /// Examples to choose settings with, taken from the original training part; `nil` until
    /// ``carvingValidation(count:)``.
    public let validation: DataSplit?
    /// Examples that are only measured on.
    public let test: DataSplit
    /// What the user should know of the loading, such as files that were left out.
    public let warnings: [String]
    /// How tokens are text; nil where examples are no text.
    public let vocabulary: TextVocabulary?

    public init(
        name: String, kind: ExampleKind, classNames: [String], train: DataSplit,
        validation: DataSplit? = nil, test: DataSplit, warnings: [String] = [],
        vocabulary: TextVocabulary? = nil
    ) {
        self.name = name
        self.kind = kind
        self.classNames = classNames
        self.train = train
        self.validation = validation
        self.test = test
        self.warnings = warnings
        self.vocabulary = vocabulary
    }

    /// Numbers of one shape, such as images [channels, height, width], each in one of the classes named.
    public init(
        name: String, inputShape: [Int], classNames: [String], train: DataSplit,
        validation: DataSplit? = nil, test: DataSplit
    ) {
        self.init(
            name: name, kind: .numbers(inputShape, classes: classNames.count), classNames: classNames,
            train: train,
            validation: validation, test: test)
    }

    /// The shape of one example's input.
    public var inputShape: [Int] { kind.inputShape }

    /// The same data with `count` training examples set aside for validation.
    ///
    /// Which ones is fixed by the data set's name and size alone: the last `count` of
    /// `NoiseKey(seed: 0).derived("validation").permutation(of: train.count)`. It does not depend on the
    /// seed of a run, so runs with different seeds are tuned on the same examples. Both parts keep the
    /// original order. Of a text it is its end: the last `count` places where a training block can begin, cut into
    /// blocks side by side.
    ///
    /// - Throws: ``DatasetError`` unless `0 < count < train.count`, or if a validation part exists already.
    public func carvingValidation(count: Int) throws -> Dataset {
        guard validation == nil else {
            throw DatasetError(.request, "data set '\(name)' has a validation part already")
        }
        guard count > 0, count < train.count else {
            throw DatasetError(
                .request,
                "a validation part of \(count) examples cannot be taken from the \(train.count) training "
                    + "examples of '\(name)'; allowed: 1 to \(train.count - 1)")
        }
        let (rest, aside) = try train.setting(aside: count) {
            NoiseKey(seed: 0).derived("validation").permutation(of: train.count)
        }
        return Dataset(
            name: name, kind: kind, classNames: classNames, train: rest, validation: aside, test: test,
            warnings: warnings, vocabulary: vocabulary)
    }
}
