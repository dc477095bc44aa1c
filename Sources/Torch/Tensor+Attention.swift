import CTorchBridge

extension Tensor {
    /// softmax(Q·Kᵀ/√d + M)·V, for this Q [… positions, d], K and V [… others, d].
    ///
    /// - Parameters:
    ///   - mask: M, or a bool tensor that is true where a position may look; broadcast to [… positions, others].
    ///   - causal: whether a position sees no later one; without a mask only.
    ///
    /// The fused kernels of libtorch do it without making the scores. Source: Vaswani et al. 2017, Attention Is All
    /// You Need.
    public func attention(keys: Tensor, values: Tensor, mask: Tensor? = nil, causal: Bool = false) -> Tensor {
        withExtendedLifetime((self, keys, values, mask)) {
            var handle: OpaquePointer?
            let status = ptb_attention(
                self.handle, keys.handle, values.handle, mask?.handle, causal, &handle)
            guard status == 0 else { trap("attention", [self, keys, values] + (mask.map { [$0] } ?? [])) }
            return Tensor(adopting: handle.unsafelyUnwrapped)
        }
    }
}
