/// The memory of a ``DesignMatrix``, which stays where it is: what its form does not use is empty.
final class DesignStorage<Scalar>: @unchecked Sendable {
    let values: UnsafeMutableBufferPointer<Scalar>
    let bits: UnsafeMutableBufferPointer<UInt16>
    let indices: UnsafeMutableBufferPointer<UInt32>
    let starts: UnsafeMutableBufferPointer<Int64>
    /// Whether `values` are left out of sparse rows, because all entries are 1.
    let isOfOnes: Bool

    /// Memory of zeros.
    init(values: Int = 0, bits: Int = 0, indices: Int = 0, starts: Int = 0, isOfOnes: Bool = false)
    where Scalar: BinaryFloatingPoint {
        // The rows of a dense matrix begin where a vector of the widest registers does.
        self.values = UnsafeMutableRawBufferPointer.allocate(
            byteCount: values * MemoryLayout<Scalar>.stride, alignment: 64
        ).bindMemory(to: Scalar.self)
        self.values.initialize(repeating: 0)
        self.bits = .allocate(capacity: bits)
        self.bits.initialize(repeating: 0)
        // One more, since the kernels ask the processor for the entry after a row's last.
        self.indices = .allocate(capacity: indices + 1)
        self.indices.initialize(repeating: 0)
        self.starts = .allocate(capacity: starts)
        self.starts.initialize(repeating: 0)
        self.isOfOnes = isOfOnes
    }

    deinit {
        values.deallocate()
        bits.deallocate()
        indices.deallocate()
        starts.deallocate()
    }
}
