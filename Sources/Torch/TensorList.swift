import CTorchBridge

/// The memory of one parameter and its gradient, lent for the length of a call.
public struct ParameterView {
    public let data: UnsafeMutableRawPointer
    /// Nil where no backward pass has reached the parameter.
    public let gradient: UnsafeMutableRawPointer?
    /// The number of elements of each.
    public let count: Int
    /// The type of both.
    public let dtype: DType
}

/// Tensors that are used together at every step, such as a model's parameters.
///
/// Crosses to libtorch once for all of them, and allocates nothing per call.
public final class TensorList {
    public let tensors: [Tensor]
    private let handles: UnsafeMutableBufferPointer<OpaquePointer>
    private let views: UnsafeMutableBufferPointer<ptb_parameter_view>

    public init(_ tensors: [Tensor]) {
        self.tensors = tensors
        handles = .allocate(capacity: tensors.count)
        _ = handles.initialize(from: tensors.lazy.map(\.handle))
        views = .allocate(capacity: tensors.count)
        views.initialize(repeating: ptb_parameter_view())
    }

    deinit {
        handles.deallocate()
        views.deallocate()
    }

    /// Lends the handles for the length of a call to the bridge.
    func withHandles<Result>(_ body: (UnsafePointer<OpaquePointer>, Int) throws -> Result) rethrows -> Result
    {
        precondition(!tensors.isEmpty, "a call on a list takes at least one tensor")
        defer { withExtendedLifetime(self) {} }
        return try body(UnsafePointer(handles.baseAddress!), handles.count)
    }

    /// Removes all gradients, so that the next backward pass writes new ones.
    public func zeroGradients() {
        guard let first = handles.baseAddress else { return }
        guard ptb_zero_gradients(first, handles.count) == 0 else { trap("zeroGradients", tensors) }
    }

    /// Overwrites the elements of each tensor with those of the other list's, unseen by autograd. Traps where the shapes or
    /// numbers differ.
    public func copy(from sources: TensorList) {
        demand(
            tensors.count == sources.tensors.count,
            "copy: \(sources.tensors.count) tensors cannot be copied to \(tensors.count)")
        defer { withExtendedLifetime((self, sources)) {} }
        guard let targets = handles.baseAddress, let sources = sources.handles.baseAddress else { return }
        guard ptb_copy_each(targets, sources, handles.count) == 0 || Libtorch.holdsFailure else {
            trap("copy", tensors)
        }
    }

    /// Lends the memory of every tensor and its gradient, all of it contiguous, in the list's order.
    ///
    /// Autograd does not see what is written.
    /// - Throws: `TorchError` where a tensor is not contiguous or its gradient has another type; what `body` throws.
    public func withParameterViews<Result>(_ body: (Views) throws -> Result) throws -> Result {
        defer { withExtendedLifetime(self) {} }
        if let first = handles.baseAddress, let views = views.baseAddress {
            try check("withParameterViews", ptb_parameter_views(first, handles.count, views))
        }
        return try body(Views(memory: UnsafeBufferPointer(views)))
    }

    /// The lent memory, by index. Not to be kept.
    public struct Views: RandomAccessCollection {
        let memory: UnsafeBufferPointer<ptb_parameter_view>
        public var startIndex: Int { 0 }
        public var endIndex: Int { memory.count }
        public subscript(index: Int) -> ParameterView {
            let view = memory[index]
            guard let dtype = DType(rawValue: view.dtype), let data = view.data else {
                fatalError("parameter \(index) is empty or has an unknown type")
            }
            return ParameterView(data: data, gradient: view.gradient, count: view.count, dtype: dtype)
        }
    }
}
