/// What a forward pass depends on besides its input: nothing is hidden in the modules.
///
/// ```swift
/// let logits = model.forward(batch, ForwardContext(training: true, seed: stepSeed))
/// let scores = model.forward(batch, .evaluation)
/// ```
public struct ForwardContext: Sendable, Hashable {
    /// Whether the pass trains: dropout drops, and batch normalisation uses, and learns from, the batch's own statistics.
    public var training: Bool
    /// All randomness of the pass. Give each step its own.
    public var seed: UInt64
    /// σ(t), the level of the noise that this pass is under: what `SigmaConditioning` layers are told. 0 without
    /// noise.
    public var sigma: Double

    /// Whether a training pass may move what a model learns from the data outside its parameters: the running
    /// statistics of batch normalisation. Off in the further passes that one step makes over one batch.
    public var learnsStatistics: Bool
    /// Whether what it moves becomes the plain mean over the batches since `num_batches_tracked` was 0, rather than
    /// follow the newest ones: PyTorch's `momentum=None`.
    public var averagesStatistics = false
    /// Whether dropout drops outside training too, everything else being as in evaluation: Monte Carlo dropout. Source: Gal and
    /// Ghahramani 2016, Dropout as a Bayesian Approximation.
    public var dropsInEvaluation = false

    /// Whether dropout drops.
    public var drops: Bool { training || dropsInEvaluation }

    public init(training: Bool, seed: UInt64, sigma: Double = 0, learnsStatistics: Bool = true) {
        self.training = training
        self.seed = seed
        self.sigma = sigma
        self.learnsStatistics = learnsStatistics
    }

    /// For measuring a model: no randomness, nothing learnt, no noise.
    public static let evaluation = ForwardContext(training: false, seed: 0)

    /// For one draw of Monte Carlo dropout: as ``evaluation``, but with dropout, whose masks `seed` and the kind of device decide.
    public static func droppingInEvaluation(seed: UInt64) -> ForwardContext {
        var context = ForwardContext(training: false, seed: seed)
        context.dropsInEvaluation = true
        return context
    }

    /// The context of a child module: the same, but with randomness of its own. Every module that has
    /// children calls it, so that two dropout layers never share a mask. Nothing is random in a plain evaluation.
    public func entering(_ child: String) -> ForwardContext {
        guard drops else { return self }
        var context = self
        context.seed = derivedSeed(seed, child)
        return context
    }

    /// The context of the child at a position; the same as that of the child of that name.
    public func entering(_ child: Int) -> ForwardContext { drops ? entering(String(child)) : self }
}

/// A seed for one purpose out of the seed for several. Different purposes give unrelated seeds.
///
/// The 64-bit FNV-1a hash of `purpose` is mixed into `seed` by the finaliser of SplitMix64, a bijection; both
/// are fixed for ever, since published results depend on them.
public func derivedSeed(_ seed: UInt64, _ purpose: String) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in purpose.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    return mixed(mixed(seed) ^ hash)
}

private func mixed(_ value: UInt64) -> UInt64 {
    var z = value &+ 0x9e37_79b9_7f4a_7c15
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
}
