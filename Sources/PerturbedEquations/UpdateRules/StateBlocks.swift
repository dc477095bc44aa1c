/// The parts of a parameter's state tensors that belong to one block, in the order of `stateNames`: at most four.
public struct StateBlocks<S: EquationScalar>: RandomAccessCollection {
    private var buffers:
        (
            UnsafeMutableBufferPointer<S>?, UnsafeMutableBufferPointer<S>?, UnsafeMutableBufferPointer<S>?,
            UnsafeMutableBufferPointer<S>?
        )
    public let endIndex: Int
    public var startIndex: Int { 0 }

    /// A block's worth of a parameter's state: no list of them is made for every block.
    init(_ count: Int, _ tensor: (Int) -> UnsafeMutableBufferPointer<S>) {
        precondition(count <= 4, "a rule has at most four state tensors")
        buffers = (
            count > 0 ? tensor(0) : nil, count > 1 ? tensor(1) : nil, count > 2 ? tensor(2) : nil,
            count > 3 ? tensor(3) : nil
        )
        endIndex = count
    }

    public subscript(index: Int) -> UnsafeMutableBufferPointer<S> {
        precondition(indices.contains(index), "state tensor \(index) of \(count)")
        return switch index {
        case 0: buffers.0.unsafelyUnwrapped
        case 1: buffers.1.unsafelyUnwrapped
        case 2: buffers.2.unsafelyUnwrapped
        default: buffers.3.unsafelyUnwrapped
        }
    }

    /// The address of a state tensor's part; nil where there is none.
    func address(_ index: Int) -> UnsafeMutableRawPointer? {
        index < count ? UnsafeMutableRawPointer(self[index].baseAddress) : nil
    }
}
