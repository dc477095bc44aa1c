/// What a minibatch stands for: the one place where N, n and the prior meet.
///
/// ```
/// U(θ) = Σᵢ ℓᵢ(θ) − log p(θ) ≈ (N/n)·Σ over the batch of ℓᵢ(θ) − log p(θ)
/// ```
///
/// Rules get ∇U/N: the gradient of the mean loss, ``batchShare`` of the batch's sum, and ``priorShare`` of the prior's; and N as
/// their `dataSize`, which they multiply by.
public struct MinibatchScale: Sendable, Hashable {
    /// N, the number of examples whose losses add up to U; 1 where U is given as it is.
    public let examples: Int

    /// - Precondition: there is an example.
    public init(examples: Int) {
        precondition(examples > 0, "a posterior of \(examples) examples")
        self.examples = examples
    }

    /// 1/n: what the sum over a batch of n losses is multiplied by for their mean.
    public func batchShare(of count: Int) -> Double { 1 / Double(count) }

    /// 1/N: what the prior's gradient is multiplied by beside that of a mean loss.
    public var priorShare: Double { 1 / Double(examples) }

    /// U, estimated from the mean loss of a batch and −log p(θ).
    public func energy(meanLoss: Double, prior: Double) -> Double { Double(examples) * meanLoss + prior }
}
