import CTorchBridge

extension Libtorch {
    /// Throws where an operation on this thread found no memory for its result since the last such error.
    ///
    /// Operations on tensors do not throw, so that a model's forward pass reads as its equations. One that finds no
    /// memory gives an empty tensor, so do those that follow from it, and the failure is held until this call, or any
    /// throwing one that meets such a tensor (`backward` does), reports it. Call it before you believe a value that was
    /// computed without a backward pass.
    ///
    /// - Throws: `TorchError` with the code `outOfMemory`, of the first operation that failed.
    public static func checkMemory() throws(TorchError) {
        guard let operation = ptb_held_operation() else { return }
        defer { ptb_drop_held_failure() }
        throw TorchError(
            code: .outOfMemory, operation: String(cString: operation),
            message: String(cString: ptb_held_message()))
    }

    static var holdsMemoryFailure: Bool { ptb_held_operation() != nil }
}
