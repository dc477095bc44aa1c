import CTorchBridge

/// Runs `body` with matrix products and convolutions in bfloat16, on this thread only: `torch.autocast(device, bfloat16)`.
///
/// Weights stay what they are; libtorch's list says which operations take bfloat16 and which float32. Run the backward
/// pass outside. Stretches do not nest.
/// - Parameter device: whose operations.
public func withBFloat16Autocast<Result, Failure: Error>(
    on device: Device = .cpu, _ body: () throws(Failure) -> Result
) throws(Failure) -> Result {
    func set(_ enabled: Bool) {
        guard ptb_set_autocast(enabled, device != .cpu) == 0 else {
            fatalError("autocast cannot be switched: \(String(cString: ptb_last_error()))")
        }
    }
    set(true)
    defer { set(false) }
    return try body()
}
