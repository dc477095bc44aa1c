/// An order of examples, cut into batches that are slices of it.
public struct Batches: RandomAccessCollection, Sendable {
    private let order: [Int]
    private let size: Int
    /// The number of batches.
    public let count: Int

    /// - Parameters:
    ///   - indices: the examples in the order of visit.
    ///   - size: examples in one batch, at least 1.
    ///   - dropLast: whether a last batch with fewer than `size` examples is left out (default no).
    public init(indices: [Int], size: Int, dropLast: Bool = false) {
        precondition(size > 0, "a batch needs at least one example")
        order = indices
        self.size = size
        count = dropLast ? indices.count / size : (indices.count + size - 1) / size
    }

    public var startIndex: Int { 0 }
    public var endIndex: Int { count }

    public subscript(position: Int) -> ArraySlice<Int> {
        precondition(position >= 0 && position < count, "batch \(position) is outside 0..<\(count)")
        return order[position * size..<Swift.min((position + 1) * size, order.count)]
    }
}
