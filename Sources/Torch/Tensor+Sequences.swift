import CTorchBridge

/// How a recurrent layer goes from one place of a sequence to the next.
public enum RecurrentCell: Sendable, Hashable {
    case lstm
    case gru

    /// The rows of its weights, in units of the hidden size.
    public var gates: Int { self == .lstm ? 4 : 3 }
}

extension Tensor {
    /// softmax(q·kᵀ/√size)·v of each head, for all heads' queries, keys and values one after the other:
    /// [n, length, 3·heads·size] becomes [n, length, heads·size].
    ///
    /// - Parameters:
    ///   - causal: whether a place sees only itself and those before it.
    ///   - dropout: of the softmax, in 0..<1; the choice depends on `seed` and the kind of device.
    public func packedAttention(heads: Int, causal: Bool, dropout: Double = 0, seed: UInt64 = 0) -> Tensor {
        result("packedAttention", self) { ptb_packed_attention($0, heads, causal, dropout, seed, $1) }
    }

    /// The outputs [n, length, hidden] of the last of several recurrent layers on x [n, length, inputs], whose states
    /// start at 0.
    ///
    /// - Parameters:
    ///   - weights: of each layer [gates·hidden, inputs], [gates·hidden, hidden], and two biases [gates·hidden].
    ///   - dropout: of the outputs between layers, in 0..<1; the choice depends on `seed` and the kind of device.
    public func recurrent(
        _ cell: RecurrentCell, weights: [Tensor], dropout: Double = 0, seed: UInt64 = 0
    ) -> Tensor {
        let kind = Int32((cell == .lstm ? PTB_LSTM : PTB_GRU).rawValue)
        var handle: OpaquePointer?
        let status = withExtendedLifetime(self) {
            withHandles(of: weights) {
                ptb_recurrent(kind, self.handle, $0, $1 / 4, dropout, seed, &handle)
            }
        }
        guard status == 0 else { return failed("recurrent", status, [self] + weights) }
        return Tensor(adopting: handle.unsafelyUnwrapped)
    }
}
