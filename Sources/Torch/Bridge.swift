import CTorchBridge

// How Swift calls the bridge. Every call goes through one of these helpers, which keep the operands alive
// until the call returns (Swift may otherwise release an object right after its handle was read) and read a
// failure's message at once.

extension TorchError {
    /// The failure that the bridge has just reported on this thread.
    init(status: Int32, operation: StaticString) {
        self.init(
            code: Code(status: status), operation: "\(operation)", message: String(cString: ptb_last_error()))
    }
}

extension TorchError.Code {
    private static let statuses: [(Self, ptb_error)] = [
        (.refused, PTB_ERROR), (.indexOutOfRange, PTB_INDEX_ERROR), (.outOfMemory, PTB_OUT_OF_MEMORY),
        (.notImplemented, PTB_NOT_IMPLEMENTED), (.unknown, PTB_UNKNOWN), (.script, PTB_SCRIPT_ERROR),
    ]

    init(status: Int32) {
        self = Self.statuses.first { Int32($0.1.rawValue) == status }?.0 ?? .refused
    }

    /// The bridge's number.
    var status: Int32 { Int32((Self.statuses.first { $0.0 == self }?.1 ?? PTB_ERROR).rawValue) }
}

/// Receives a new handle from the bridge.
typealias NewHandle = UnsafeMutablePointer<OpaquePointer?>

/// Throws what the bridge reports, or the held failure that led to it.
@inline(__always)
func check(_ operation: StaticString, _ status: Int32) throws(TorchError) {
    if status != 0 {
        try Libtorch.checkHeldFailure()
        throw TorchError(status: status, operation: operation)
    }
}

/// What an operation that cannot throw gives where libtorch refused it: an empty tensor where there was no memory,
/// or where an earlier failure is held (see `Libtorch.checkHeldFailure`). Any other is the program's own mistake, and
/// traps.
@inline(never)
func failed(_ operation: StaticString, _ status: Int32, _ operands: [Tensor]) -> Tensor {
    let error = TorchError(status: status, operation: operation)
    guard error.code == .outOfMemory || Libtorch.holdsFailure else { trap(operation, operands) }
    return Tensor(holding: error)
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
