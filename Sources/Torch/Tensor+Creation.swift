import CTorchBridge

extension Tensor {
    /// All elements are `value`. Throws where there is no memory, or a size is negative.
    public static func full(
        _ shape: [Int], _ value: Double, dtype: DType = .float32
    ) throws(TorchError) -> Tensor {
        try made("full") { ptb_full(shape, shape.count, value, dtype.rawValue, $0) }
    }

    /// All elements are 0. Throws where there is no memory, or a size is negative.
    public static func zeros(_ shape: [Int], dtype: DType = .float32) throws(TorchError) -> Tensor {
        try full(shape, 0, dtype: dtype)
    }

    /// All elements are 1. Throws where there is no memory, or a size is negative.
    public static func ones(_ shape: [Int], dtype: DType = .float32) throws(TorchError) -> Tensor {
        try full(shape, 1, dtype: dtype)
    }

    /// The whole numbers of `range`, as int64.
    public static func range(_ range: Range<Int>) throws(TorchError) -> Tensor {
        try made("range") { ptb_arange(range.lowerBound, range.upperBound, $0) }
    }

    /// Elements drawn evenly from [low, high). They depend on `seed` alone.
    public static func uniform(
        _ shape: [Int], low: Double = 0, high: Double = 1, seed: UInt64, dtype: DType = .float32
    ) throws(TorchError) -> Tensor {
        let tensor = try zeros(shape, dtype: dtype)
        try tensor.fillUniform(low: low, high: high, seed: seed)
        return tensor
    }

    /// Elements drawn from a normal distribution. They depend on `seed` alone.
    public static func normal(
        _ shape: [Int], mean: Double = 0, deviation: Double = 1, seed: UInt64, dtype: DType = .float32
    ) throws(TorchError) -> Tensor {
        let tensor = try zeros(shape, dtype: dtype)
        try tensor.fillNormal(mean: mean, deviation: deviation, seed: seed)
        return tensor
    }

    /// Overwrites the elements, unseen by autograd, with draws from [low, high).
    public func fillUniform(low: Double, high: Double, seed: UInt64) throws(TorchError) {
        try check("fillUniform", withExtendedLifetime(self) { ptb_fill_uniform(handle, low, high, seed) })
    }

    /// Overwrites the elements, unseen by autograd, with draws from a normal distribution.
    public func fillNormal(mean: Double, deviation: Double, seed: UInt64) throws(TorchError) {
        try check("fillNormal", withExtendedLifetime(self) { ptb_fill_normal(handle, mean, deviation, seed) })
    }

    /// The same elements in another type; the same tensor where it has it already.
    public func converted(to dtype: DType) -> Tensor {
        result("converted", self) { ptb_to_dtype($0, dtype.rawValue, $1) }
    }

    /// Converts this tensor itself, for all who hold it, and removes its gradient. For leaves and buffers only.
    /// - Throws: `TorchError` where there is no memory.
    public func convertInPlace(to dtype: DType) throws(TorchError) {
        try check(
            "convertInPlace", withExtendedLifetime(self) { ptb_convert_in_place(handle, dtype.rawValue) })
    }

    /// A copy with memory of its own. Gradients flow through it.
    public func cloned() -> Tensor { result("cloned", self, ptb_clone) }

    /// The same elements in row-major order without gaps; the same tensor where they are so already.
    public func contiguous() -> Tensor { result("contiguous", self, ptb_contiguous) }
}
