extension UnsafeMutableBufferPointer {
    /// New memory with these values, which whoever asks for it deallocates.
    static func copy(of values: [Element]) -> Self {
        let memory = Self.allocate(capacity: values.count)
        _ = memory.initialize(from: values)
        return memory
    }
}
