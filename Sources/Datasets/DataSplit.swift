import Foundation

/// One part of a data set: examples of equal shape, each with the number of its class.
///
/// Examples are stored as bytes with a scale, or as floats; a part chosen from another one shares its
/// storage.
public struct DataSplit: Sendable {
    enum Storage: Sendable {
        /// Bytes, and the number that each of the 256 bytes stands for.
        case bytes(Data, table: [Float])
        case floats([Float])
    }

    /// How many numbers one example has.
    public let exampleSize: Int
    /// The examples of this part by their position in the storage; `nil` stands for all, in order.
    private let rows: [Int]?
    private let storage: Storage
    private let storedLabels: [Int64]

    /// Examples whose pixels are bytes.
    ///
    /// - Parameters:
    ///   - pixels: the examples one after the other, `labels.count` × `exampleSize` bytes.
    ///   - scale: what a byte means.
    ///   - labels: the class of each example.
    /// - Precondition: the sizes agree.
    public init(pixels: Data, scale: PixelScale, labels: [Int64], exampleSize: Int) {
        precondition(pixels.count == labels.count * exampleSize, "sizes of pixels and labels do not agree")
        self.init(.bytes(pixels, table: scale.table), labels: labels, exampleSize: exampleSize, rows: nil)
    }

    /// Examples whose features are floats.
    ///
    /// - Throws: ``DatasetError`` if a feature is not a finite number, naming the example and the value.
    /// - Precondition: `features.count == labels.count * exampleSize`.
    public init(features: [Float], labels: [Int64], exampleSize: Int, named name: String) throws {
        precondition(
            features.count == labels.count * exampleSize, "sizes of features and labels do not agree")
        if let position = features.firstIndex(where: { !$0.isFinite }) {
            throw DatasetError(
                .value,
                "\(name): example \(position / exampleSize), feature \(position % exampleSize) is "
                    + "\(features[position]); allowed: finite numbers")
        }
        self.init(.floats(features), labels: labels, exampleSize: exampleSize, rows: nil)
    }

    private init(_ storage: Storage, labels: [Int64], exampleSize: Int, rows: [Int]?) {
        self.storage = storage
        self.storedLabels = labels
        self.exampleSize = exampleSize
        self.rows = rows
    }

    /// The number of examples.
    public var count: Int { rows?.count ?? storedLabels.count }

    /// The class of each example, in order.
    public var labels: [Int64] {
        rows.map { $0.map { storedLabels[$0] } } ?? storedLabels
    }

    /// The part made of the given examples of this one, in the given order.
    ///
    /// - Precondition: every position is in `0..<count`.
    public func selecting(_ positions: [Int]) -> DataSplit {
        precondition(positions.allSatisfy { $0 >= 0 && $0 < count }, "an example is outside 0..<\(count)")
        return DataSplit(
            storage, labels: storedLabels, exampleSize: exampleSize,
            rows: rows.map { rows in positions.map { rows[$0] } } ?? positions)
    }

    /// Writes the examples at `positions`, as numbers and one after the other, and their classes.
    ///
    /// Nothing is allocated: a trainer fills its input tensor with this directly.
    ///
    /// - Parameters:
    ///   - positions: which examples, each in `0..<count`; a slice of ``EpochOrder/indices`` for example.
    ///   - features: room for `positions.count` × ``exampleSize`` numbers.
    ///   - labels: room for `positions.count` classes.
    /// - Precondition: the positions exist and the room suffices.
    public func copyBatch(
        _ positions: ArraySlice<Int>, into features: UnsafeMutableBufferPointer<Float>,
        labels: UnsafeMutableBufferPointer<Int64>
    ) {
        precondition(
            features.count >= positions.count * exampleSize && labels.count >= positions.count,
            "a batch of \(positions.count) examples does not fit the buffers given")
        switch storage {
        case .bytes(let pixels, let table):
            pixels.withUnsafeBytes { pixels in
                table.withUnsafeBufferPointer { table in
                    forEach(of: positions, labels: labels) { target, row in
                        let source = pixels.baseAddress! + row * exampleSize
                        for offset in 0..<exampleSize {
                            let byte = source.load(fromByteOffset: offset, as: UInt8.self)
                            features[target * exampleSize + offset] = table[Int(byte)]
                        }
                    }
                }
            }
        case .floats(let values):
            values.withUnsafeBufferPointer { values in
                forEach(of: positions, labels: labels) { target, row in
                    (features.baseAddress! + target * exampleSize)
                        .update(from: values.baseAddress! + row * exampleSize, count: exampleSize)
                }
            }
        }
    }

    /// Calls `copy` with each place in the batch and the stored row that goes there; fills in the classes.
    @inline(__always)
    private func forEach(
        of positions: ArraySlice<Int>, labels: UnsafeMutableBufferPointer<Int64>,
        copy: (_ target: Int, _ row: Int) -> Void
    ) {
        for (target, position) in positions.enumerated() {
            precondition(position >= 0 && position < count, "example \(position) is outside 0..<\(count)")
            let row = rows.map { $0[position] } ?? position
            labels[target] = storedLabels[row]
            copy(target, row)
        }
    }
}
