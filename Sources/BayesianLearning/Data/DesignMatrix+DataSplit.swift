import Datasets
import PosteriorSampling

extension DesignMatrix where Scalar == Float {
    /// The features of a data set's examples, a row each.
    ///
    /// - Throws: `ConfigurationError` for a feature that is not finite.
    /// - Precondition: the examples are numbers, each with one target.
    public init(_ split: DataSplit) throws {
        var features = [Float](repeating: 0, count: split.count * split.exampleSize)
        var labels = [Int64](repeating: 0, count: split.count)
        features.withUnsafeMutableBufferPointer { features in
            labels.withUnsafeMutableBufferPointer { labels in
                split.copyBatch(Array(0..<split.count)[...], into: features, labels: labels)
            }
        }
        try self.init(rows: features, columns: split.exampleSize)
    }
}

extension DataSplit {
    /// Whether each example is of class 1.
    /// - Precondition: each has one class.
    public var isOfClassOne: [Bool] {
        var features = [Float](repeating: 0, count: exampleSize)
        var label: [Int64] = [0]
        return (0..<count).map { row in
            features.withUnsafeMutableBufferPointer { features in
                label.withUnsafeMutableBufferPointer { label in
                    copyBatch([row][...], into: features, labels: label)
                }
            }
            return label[0] == 1
        }
    }
}
