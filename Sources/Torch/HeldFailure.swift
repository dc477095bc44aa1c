import CTorchBridge

// Operations on tensors do not throw, so that a model's forward pass reads as its equations. What a correct program can
// meet there, no memory or a foreign module that fails, is held on the thread until a call that can throw.

extension Libtorch {
    /// Throws where an operation on this thread found no memory for its result, or a TorchScript module failed, since the
    /// last such error.
    ///
    /// Such an operation gives an empty tensor, so do those that follow from it, and the failure is held until this call, or
    /// any throwing one that meets such a tensor (`backward` does), reports it. Call it before you believe a value that was
    /// computed without a backward pass.
    ///
    /// - Throws: `TorchError` with the code `outOfMemory` or `script`, of the first operation that failed.
    public static func checkHeldFailure() throws(TorchError) {
        guard holdsFailure else { return }
        defer { ptb_drop_held_failure() }
        throw TorchError(
            code: .init(status: ptb_held_status()), operation: String(cString: ptb_held_operation()),
            message: String(cString: ptb_held_message()))
    }

    static var holdsFailure: Bool { ptb_held_status() != 0 }
}

extension Tensor {
    /// An empty tensor to go on with; the failure is held, unless one is held already.
    package init(holding error: TorchError) {
        guard let handle = ptb_hold_failure(error.code.status, error.operation, error.message) else {
            fatalError("\(error)")
        }
        self.init(adopting: handle)
    }
}
