import Foundation
import PerturbedEquations

/// How tables become a data set.
public struct TableOptions: Sendable, Hashable {
    /// What the labels are.
    public enum Target: String, Codable, Sendable, CaseIterable {
        /// Names or numbers of classes.
        case classes
        /// Numbers to predict.
        case regression
    }

    /// Classes unless told.
    public var target: Target
    /// How many classes there are: labels are then whole numbers from 0 to `classes` − 1. Nil (the default): the classes
    /// are the distinct labels of the training part, in the order of numbers where all are numbers, or else of their
    /// Unicode scalars.
    public var classes: Int?
    /// The share of the rows that is for testing where there is no file for it, in (0, 1) (default 0.2). Which rows
    /// depends on their number alone: the last ones of `NoiseKey(seed: 0).derived("test").permutation(of: count)`.
    public var testFraction: Double
    /// Whether each column, and the number to predict, becomes (x − mean)/deviation, both taken over the training part; a
    /// column of equal values becomes 0.
    public var standardise: Bool

    public init(
        target: Target = .classes, classes: Int? = nil, testFraction: Double = 0.2, standardise: Bool = false
    ) {
        self.target = target
        self.classes = classes
        self.testFraction = testFraction
        self.standardise = standardise
    }

    /// The largest number of distinct labels that are taken for classes.
    public static let classLimit = 1000
}

extension Dataset {
    /// A data set of one table, cut in two, or of one for training and one for testing.
    ///
    /// - Throws: ``DatasetError`` for tables of different columns, and for a label that is no class, naming the file, line
    ///   and column.
    public init(name: String, train: LabelledTable, test: LabelledTable?, _ options: TableOptions = .init())
        throws
    {
        var train = train
        var test = test
        if let other = test {
            guard other.columns == train.columns else {
                let difference = zip(other.columns, train.columns).first { $0 != $1 }
                throw DatasetError(
                    .format,
                    "\(other.name): "
                        + (difference.map { "column '\($0.0)' stands where \(train.name) has '\($0.1)'" }
                            ?? "\(other.columns.count) columns beside the label; \(train.name) has \(train.columns.count)")
                )
            }
            guard other.width == train.width || train.isSparse && other.isSparse else {
                throw DatasetError(
                    .format,
                    "\(other.name): \(other.width) columns beside the label; \(train.name) has \(train.width)"
                )
            }
            let width = max(train.width, other.width)
            train = try train.widened(to: width)
            test = try other.widened(to: width)
        }
        let rows: (train: [Int], test: [Int])
        if test == nil {
            let count = Int((Double(train.count) * options.testFraction).rounded())
            guard count > 0, count < train.count else {
                throw DatasetError(
                    .request,
                    "\(train.name): a share of \(options.testFraction) of \(train.count) rows for testing is \(count); "
                        + "allowed: 1 to \(train.count - 1)")
            }
            let order = NoiseKey(seed: 0).derived("test").permutation(of: train.count)
            rows = (order.dropLast(count).sorted(), order.suffix(count).sorted())
        } else {
            rows = (Array(0..<train.count), [])
        }
        let labels: TableLabels =
            switch options.target {
            case .classes: .classes(try TableClasses(train, rows: rows.train, count: options.classes))
            case .regression:
                .numbers(try TableNumbers(train, rows: rows.train, standardise: options.standardise))
            }
        if options.standardise {
            let scale = ColumnScale(train, rows: rows.train)
            train.features = scale.applied(to: train)
            if let other = test { test?.features = scale.applied(to: other) }
        }
        func split(_ table: LabelledTable) throws -> DataSplit {
            switch labels {
            case .classes(let classes):
                try DataSplit(
                    features: table.features, labels: classes.numbers(of: table), exampleSize: table.width,
                    named: table.name)
            case .numbers(let numbers):
                try DataSplit(
                    features: table.features, numbers: numbers.values(of: table), exampleSize: table.width,
                    named: table.name)
            }
        }
        let all = try split(train)
        self.init(
            name: name, kind: ExampleKind(.numbers(shape: [train.width]), labels.kind),
            classNames: labels.classNames,
            train: test == nil ? all.selecting(rows.train) : all,
            test: try test.map(split) ?? all.selecting(rows.test))
    }
}
