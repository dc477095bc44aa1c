import CTorchBridge

extension Tensor {
    /// A tensor with a copy of `values`, in row-major order. Traps where their number is not the shape's.
    /// - Throws: `TorchError` where there is no memory for it.
    public init<Element: TensorElement>(_ values: [Element], shape: [Int]) throws(TorchError) {
        demand(
            values.count == shape.reduce(1, *),
            "Tensor: \(values.count) values cannot have the shape \(shape)")
        var handle: OpaquePointer?
        let status = values.withUnsafeBytes {
            ptb_from_bytes($0.baseAddress, $0.count, shape, shape.count, Element.dtype.rawValue, &handle)
        }
        try check("Tensor", status)
        self.init(adopting: handle.unsafelyUnwrapped)
    }

    /// A one-dimensional tensor with a copy of `values`.
    public init<Element: TensorElement>(_ values: [Element]) throws(TorchError) {
        try self.init(values, shape: [values.count])
    }

    /// A tensor with a copy of raw memory.
    /// - Throws: `TorchError` where the bytes are not as many as the shape and type need.
    public init(bytes: UnsafeRawBufferPointer, shape: [Int], dtype: DType) throws(TorchError) {
        self = try made("Tensor") {
            ptb_from_bytes(bytes.baseAddress, bytes.count, shape, shape.count, dtype.rawValue, $0)
        }
    }

    /// The elements in row-major order. Traps where `Element` is not the tensor's type.
    /// - Throws: `TorchError` where there is no memory for them.
    public func array<Element: TensorElement>(of type: Element.Type = Element.self) throws(TorchError)
        -> [Element]
    {
        demand(dtype == Element.dtype, "array: the tensor holds \(dtype), not \(Element.dtype)")
        let count = count
        var status: Int32 = 0
        let values = [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
            status = copyBytes(
                to: UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[..<count])))
            initialized = status == 0 ? count : 0
        }
        try check("array", status)
        return values
    }

    /// Copies the elements, in row-major order, to memory of exactly their size.
    public func copyElements(to bytes: UnsafeMutableRawBufferPointer) throws(TorchError) {
        try check("copyElements", copyBytes(to: bytes))
    }

    private func copyBytes(to bytes: UnsafeMutableRawBufferPointer) -> Int32 {
        withExtendedLifetime(self) { ptb_to_bytes(handle, bytes.baseAddress, bytes.count) }
    }

    /// Lends the tensor's own memory, to read or write. Traps where it is not contiguous, or not on the CPU.
    ///
    /// Autograd does not see what is written: for leaves, buffers and gradients only.
    public func withUnsafeMutableBytes<Result, Failure: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { withExtendedLifetime(self) {} }
        var data: UnsafeMutableRawPointer?
        guard ptb_data(handle, &data) == 0 else { trap("withUnsafeMutableBytes", [self]) }
        return try body(UnsafeMutableRawBufferPointer(start: data, count: count * dtype.size))
    }

    /// The only element, as a number; NaN after a memory failure (`Libtorch.checkHeldFailure`). Traps where there is not
    /// exactly one.
    public func item() -> Double {
        withExtendedLifetime(self) {
            var value = 0.0
            let status = ptb_item(handle, &value)
            // The sum of the empty tensor that a failure left would be a number like any other.
            if Libtorch.holdsFailure { return .nan }
            guard status == 0 else { trap("item", [self]) }
            return value
        }
    }

    /// The only element of an integer tensor; 0 after a memory failure. Traps where there is not exactly one.
    public func itemInteger() -> Int {
        withExtendedLifetime(self) {
            var value: Int64 = 0
            guard ptb_item_integer(handle, &value) == 0 || Libtorch.holdsFailure else {
                trap("itemInteger", [self])
            }
            return Int(value)
        }
    }

    /// Overwrites the elements with those of `source`, unseen by autograd. Traps where the shapes differ.
    public func copy(from source: Tensor) {
        withExtendedLifetime((self, source)) {
            guard ptb_copy_into(handle, source.handle) == 0 || Libtorch.holdsFailure else {
                trap("copy", [self, source])
            }
        }
    }
}
