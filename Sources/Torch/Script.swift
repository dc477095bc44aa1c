import CTorchBridge

/// A TorchScript module: a network that was written in Python and saved by `torch.jit.save`, with its code.
///
/// Weights that were tied in Python are tied here.
///
/// ```swift
/// let script = try Script(path: "model.pt")
/// let logits = try script.forward(x, training: false, keepsBuffers: true, seed: 0)
/// ```
public final class Script {
    private let handle: OpaquePointer
    /// A tensor and its name in Python's `state_dict`.
    public typealias Named = (name: String, tensor: Tensor)
    /// The parameters that require gradients.
    public let parameters: [Named]
    public let buffers: [Named]
    /// The parameters that require none.
    public let frozen: [Named]

    /// Reads a file onto the CPU.
    /// - Throws: `TorchError` where it is missing, is no TorchScript, or has tensors of a type that Torch lacks.
    public init(path: String) throws(TorchError) {
        var made: OpaquePointer?
        try check("torchScript", ptb_script_load(path, &made))
        let handle = made.unsafelyUnwrapped
        func tensors(_ kind: ptb_script_kind) throws(TorchError) -> [Named] {
            let kind = Int32(kind.rawValue)
            var tensors: [Named] = []
            for index in 0..<ptb_script_count(handle, kind) {
                var tensor: OpaquePointer?
                try check("torchScript", ptb_script_tensor(handle, kind, index, &tensor))
                tensors.append(
                    (
                        String(cString: ptb_script_name(handle, kind, index)),
                        Tensor(adopting: tensor.unsafelyUnwrapped)
                    ))
            }
            return tensors
        }
        do throws(TorchError) {
            parameters = try tensors(PTB_SCRIPT_PARAMETERS)
            buffers = try tensors(PTB_SCRIPT_BUFFERS)
            frozen = try tensors(PTB_SCRIPT_FROZEN)
        } catch {
            ptb_script_release(handle)
            throw error
        }
        self.handle = handle
    }

    deinit { ptb_script_release(handle) }

    /// What the module's `forward` returns for one input.
    ///
    /// - Parameters:
    ///   - training: the mode of the module and its children.
    ///   - keepsBuffers: undoes what the call does to buffers, such as running statistics.
    ///   - seed: all randomness of a training call.
    /// - Throws: `TorchError` where the script fails or returns no tensor.
    public func forward(
        _ x: Tensor, training: Bool, keepsBuffers: Bool, seed: UInt64
    ) throws(TorchError) -> Tensor {
        try withExtendedLifetime((self, x)) { () throws(TorchError) in
            try made("torchScript.forward") {
                ptb_script_forward(handle, x.handle, training, keepsBuffers, seed, $0)
            }
        }
    }

    /// Writes the module with its present weights, in evaluation mode; `torch.jit.load` reads it.
    /// - Throws: `TorchError` where the file cannot be written.
    public func save(path: String) throws(TorchError) {
        try check("torchScript.save", withExtendedLifetime(self) { ptb_script_save(handle, path) })
    }
}
