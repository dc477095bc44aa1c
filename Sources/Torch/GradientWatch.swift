import CTorchBridge

/// How large the gradients of some tensors are, looked at as each backward pass leaves them: there and then they are in
/// the cache, and a look costs a fraction of what another read of the memory does.
///
/// A gradient that is replaced or written to afterwards through a `Tensor` is unknown again.
public final class GradientWatch {
    /// max |x| of some elements, NaN where there is one: a plain function, that any thread may call.
    public typealias Largest = @convention(c) (UnsafeRawPointer, Int, Int32) -> Double

    private let watch: OpaquePointer
    private let sizes: UnsafeMutableBufferPointer<Double>

    /// - Parameters:
    ///   - list: leaves, at least one. Another watch of the same ones takes this one's place.
    ///   - largest: is given a gradient's memory, its number of elements, and the raw value of its `DType`.
    public init(_ list: TensorList, largest: Largest) throws(TorchError) {
        var watch: OpaquePointer?
        try check(
            "GradientWatch",
            list.withHandles { ptb_watch_gradients($0, $1, largest, &watch) })
        self.watch = watch!
        sizes = .allocate(capacity: list.tensors.count)
        sizes.initialize(repeating: -1)
    }

    deinit {
        ptb_end_watch(watch)
        sizes.deallocate()
    }

    /// Takes note of the gradients as they are now.
    public func refresh() { ptb_watched_sizes(watch, sizes.baseAddress!) }

    /// max |g| of a tensor's gradient, by its place in the list, when notes were last taken; NaN where an element is NaN, nil
    /// where it was not known.
    public subscript(index: Int) -> Double? { sizes[index] < 0 ? nil : sizes[index] }
}
