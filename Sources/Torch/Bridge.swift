import CTorchBridge

// How Swift calls the bridge. Every call goes through one of these helpers, which keep the operands alive
// until the call returns (Swift may otherwise release an object right after its handle was read) and read a
// failure's message at once.

extension TorchError {
    /// The failure that the bridge has just reported on this thread.
    init(status: Int32, operation: StaticString) {
        let code: Code =
            switch UInt32(bitPattern: status) {
            case PTB_INDEX_ERROR.rawValue: .indexOutOfRange
            case PTB_OUT_OF_MEMORY.rawValue: .outOfMemory
            case PTB_NOT_IMPLEMENTED.rawValue: .notImplemented
            case PTB_UNKNOWN.rawValue: .unknown
            default: .refused
            }
        self.init(code: code, operation: "\(operation)", message: String(cString: ptb_last_error()))
    }
}

/// Receives a new handle from the bridge.
typealias NewHandle = UnsafeMutablePointer<OpaquePointer?>

/// Throws what the bridge reports, or the memory failure that led to it.
@inline(__always)
func check(_ operation: StaticString, _ status: Int32) throws(TorchError) {
    if status != 0 {
        try Libtorch.checkMemory()
        throw TorchError(status: status, operation: operation)
    }
}

/// What an operation that cannot throw gives where libtorch refused it: an empty tensor where there was no memory,
/// now or before (see `Libtorch.checkMemory`). Any other failure is the program's own mistake, and traps.
@inline(never)
func failed(_ operation: StaticString, _ status: Int32, _ operands: [Tensor]) -> Tensor {
    let held = operation.withUTF8Buffer { _ in
        ptb_hold_memory_failure(
            status, UnsafeRawPointer(operation.utf8Start).assumingMemoryBound(to: CChar.self))
    }
    guard let held else { trap(operation, operands) }
    return Tensor(adopting: held)
}

/// Stops the program: the shapes that a program gives to an operation are its own mistake.
@inline(never)
func trap(_ operation: StaticString, _ operands: [Tensor]) -> Never {
    let shapes = operands.map { "\($0.shape) (\($0.dtype))" }.joined(separator: " and ")
    fatalError("\(operation) cannot take \(shapes): \(String(cString: ptb_last_error()))")
}

/// A tensor that a throwing call made.
@inline(__always)
func made(_ operation: StaticString, _ call: (NewHandle) -> Int32) throws(TorchError) -> Tensor {
    var handle: OpaquePointer?
    try check(operation, call(&handle))
    return Tensor(adopting: handle.unsafelyUnwrapped)
}

/// The result of an operation on one tensor. Traps where libtorch refuses it.
@inline(__always)
func result(
    _ operation: StaticString, _ a: Tensor, _ call: (OpaquePointer, NewHandle) -> Int32
) -> Tensor {
    withExtendedLifetime(a) {
        var handle: OpaquePointer?
        let status = call(a.handle, &handle)
        guard status == 0 else { return failed(operation, status, [a]) }
        return Tensor(adopting: handle.unsafelyUnwrapped)
    }
}

/// The result of an operation on two tensors. Traps where libtorch refuses it.
@inline(__always)
func result(
    _ operation: StaticString, _ a: Tensor, _ b: Tensor,
    _ call: (OpaquePointer, OpaquePointer, NewHandle) -> Int32
) -> Tensor {
    withExtendedLifetime((a, b)) {
        var handle: OpaquePointer?
        let status = call(a.handle, b.handle, &handle)
        guard status == 0 else { return failed(operation, status, [a, b]) }
        return Tensor(adopting: handle.unsafelyUnwrapped)
    }
}

/// The result of an operation on a tensor and up to two more. Traps where libtorch refuses it.
@inline(__always)
func result(
    _ operation: StaticString, _ a: Tensor, optional b: Tensor?, _ c: Tensor?,
    _ call: (OpaquePointer, OpaquePointer?, OpaquePointer?, NewHandle) -> Int32
) -> Tensor {
    withExtendedLifetime((a, b, c)) {
        var handle: OpaquePointer?
        let status = call(a.handle, b?.handle, c?.handle, &handle)
        guard status == 0 else { return failed(operation, status, [a, b, c].compactMap { $0 }) }
        return Tensor(adopting: handle.unsafelyUnwrapped)
    }
}

/// Lends the handles of several tensors for the length of one call.
@inline(__always)
func withHandles<Result>(
    of tensors: [Tensor], _ body: (UnsafePointer<OpaquePointer>, Int) -> Result
) -> Result {
    withExtendedLifetime(tensors) {
        withUnsafeTemporaryAllocation(of: OpaquePointer.self, capacity: max(tensors.count, 1)) { handles in
            for (index, tensor) in tensors.enumerated() {
                handles.initializeElement(at: index, to: tensor.handle)
            }
            return body(UnsafePointer(handles.baseAddress.unsafelyUnwrapped), tensors.count)
        }
    }
}
