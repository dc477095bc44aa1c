import CTorchBridge

/// Copies on the host of leaves that may be on a GPU, and of their gradients, in memory that a GPU reads and writes at full
/// speed. All of a type cross at once.
///
/// Extra memory: twice the leaves' size on the host, and once where they are.
public final class HostCopies {
    private let list: TensorList
    private let staging: OpaquePointer

    /// - Parameter list: leaves, at least one.
    /// - Throws: `TorchError` where there is no memory for the copies.
    public init(_ list: TensorList) throws(TorchError) {
        var staging: OpaquePointer?
        try check("HostCopies", list.withHandles { ptb_stage($0, $1, &staging) })
        self.list = list
        self.staging = staging!
    }

    deinit { ptb_stage_release(staging) }

    /// The copies become what the leaves are.
    public func takeParameters() throws(TorchError) {
        try check("takeParameters", ptb_stage_take_parameters(staging))
    }

    /// The gradients' copies become what these are.
    /// - Throws: `TorchError` where a gradient has another type than its leaf.
    public func takeGradients() throws(TorchError) {
        try check("takeGradients", ptb_stage_take_gradients(staging))
    }

    /// The leaves become what the copies are, for every operation from here on.
    ///
    /// - Parameter waiting: whether the copies may be written to at once; otherwise after ``settle()``.
    public func giveParameters(waiting: Bool) throws(TorchError) {
        try check("giveParameters", ptb_stage_give_parameters(staging, waiting))
    }

    /// Waits until the leaves are what the copies were when they were last given.
    public func settle() throws(TorchError) { try check("settle", ptb_stage_settle(staging)) }

    /// The copies' memory, which stays where it is; that of a gradient where there was one when they were last taken.
    public var views: TensorList.Views {
        TensorList.Views(
            memory: UnsafeBufferPointer(start: ptb_stage_views(staging), count: list.tensors.count))
    }
}
