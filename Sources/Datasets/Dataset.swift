import Foundation
import PerturbedEquations

/// A labelled set of images in memory, in two or three parts: train, validation if asked for, and test.
public struct Dataset: Sendable {
    /// The name in the catalogue, such as `fashion-mnist`.
    public let name: String
    /// Channels, height and width of one example.
    public let inputShape: [Int]
    /// What each label means; label k is `classNames[k]`.
    public let classNames: [String]
    /// Examples to fit parameters with.
    public let train: DataSplit
    /// Examples to choose settings with, taken from the original training part; `nil` until
    /// ``carvingValidation(count:)``.
    public let validation: DataSplit?
    /// Examples that are only measured on.
    public let test: DataSplit

    public init(
        name: String, inputShape: [Int], classNames: [String], train: DataSplit,
        validation: DataSplit? = nil, test: DataSplit
    ) {
        self.name = name
        self.inputShape = inputShape
        self.classNames = classNames
        self.train = train
        self.validation = validation
        self.test = test
    }

    /// The same data with `count` training examples set aside for validation.
    ///
    /// Which ones is fixed by the data set's name and size alone: the last `count` of
    /// `NoiseKey(seed: 0).derived("validation").permutation(of: train.count)`. It does not depend on the
    /// seed of a run, so runs with different seeds are tuned on the same examples. Both parts keep the
    /// original order.
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
        let order = NoiseKey(seed: 0).derived("validation").permutation(of: train.count)
        return Dataset(
            name: name, inputShape: inputShape, classNames: classNames,
            train: train.selecting(order.dropLast(count).sorted()),
            validation: train.selecting(order.suffix(count).sorted()), test: test)
    }
}
