/// A fixed number of values side by side, whose place in memory never changes.
///
/// What ``VectorEnvironment`` writes into, step after step; reading gives the latest. `Array(buffer)` keeps a copy.
public final class FlatBuffer<Element: BitwiseCopyable>: RandomAccessCollection {
    let start: UnsafeMutablePointer<Element>
    public let count: Int

    init(repeating value: Element, count: Int) {
        start = .allocate(capacity: count)
        start.initialize(repeating: value, count: count)
        self.count = count
    }

    deinit { start.deallocate() }

    public var startIndex: Int { 0 }
    public var endIndex: Int { count }

    public subscript(index: Int) -> Element {
        precondition(index >= 0 && index < count, "index \(index) is outside 0 ..< \(count)")
        return start[index]
    }

    /// Lends the memory, to copy it elsewhere; the pointer must not outlive the call.
    public func withUnsafeBufferPointer<Result>(
        _ body: (UnsafeBufferPointer<Element>) throws -> Result
    ) rethrows -> Result {
        try body(UnsafeBufferPointer(start: start, count: count))
    }

    public func withContiguousStorageIfAvailable<Result>(
        _ body: (UnsafeBufferPointer<Element>) throws -> Result
    ) rethrows -> Result? {
        try withUnsafeBufferPointer(body)
    }
}
