/// Arrays of float32 of one shape, each element between bounds of its own.
public struct BoxSpace: Sendable, Hashable {
    /// The sizes, outermost first; elements are stored row by row.
    public let shape: [Int]
    /// The least value of each element; −∞ where there is none.
    public let low: [Float]
    /// The greatest value of each element; +∞ where there is none.
    public let high: [Float]

    /// How many elements there are.
    public var count: Int { low.count }

    /// Bounds for each element. ``VectorEnvironment`` refuses a space whose sizes or bounds make no sense.
    public init(shape: [Int], low: [Float], high: [Float]) {
        self.shape = shape
        self.low = low
        self.high = high
    }

    /// A vector with bounds for each element.
    public init(low: [Float], high: [Float]) {
        self.init(shape: [low.count], low: low, high: high)
    }

    /// A vector whose elements have the bounds −b and b.
    public init(symmetric bounds: [Float]) {
        self.init(low: bounds.map { -$0 }, high: bounds)
    }

    /// A vector of `count` elements with the same bounds.
    public init(count: Int, in range: ClosedRange<Float>) {
        self.init(
            low: [Float](repeating: range.lowerBound, count: count),
            high: [Float](repeating: range.upperBound, count: count))
    }

    /// What is wrong with the space, or nil.
    var fault: String? {
        if shape.isEmpty || shape.contains(where: { $0 < 1 }) {
            return "has the shape \(shape); allowed: at least one size, each at least 1"
        }
        let sizes = shape.reduce((product: 1, overflow: false)) { sum, size in
            let (product, overflow) = sum.product.multipliedReportingOverflow(by: size)
            return (product, sum.overflow || overflow)
        }
        guard !sizes.overflow, low.count == sizes.product, high.count == sizes.product else {
            return "has the shape \(shape), \(low.count) lower bounds and \(high.count) upper bounds; "
                + "allowed: a pair of bounds for each element"
        }
        guard let i = low.indices.first(where: { !(low[$0] <= high[$0]) }) else { return nil }
        return "has the bounds \(low[i]) to \(high[i]) at element \(i); allowed: the lower one first"
    }
}
