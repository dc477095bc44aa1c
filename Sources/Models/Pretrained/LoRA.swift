import TorchNN

/// Which projections of a GPT-2 get adapters, and of what size, as a configuration writes it.
///
/// ```yaml
/// lora: {rank: 8, alpha: 16, dropout: 0.05, targets: [attn.c_attn]}
/// ```
///
/// Only the adapters are trained, perturbed and saved in checkpoints; everything else stays as it came.
public struct LoRA: Codable, Sendable, Hashable {
    /// r, ≥ 1.
    public var rank: Int
    /// α: the adapters' part is scaled by α/r; above 0.
    public var alpha: Double
    /// Of what the adapters read, in training; in 0..<1.
    public var dropout: Double
    /// Some of ``projections``.
    public var targets: [String]

    /// The projections of each block, by Hugging Face's names.
    public static let projections = ["attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"]

    public init(
        rank: Int = 8, alpha: Double = 16, dropout: Double = 0, targets: [String] = ["attn.c_attn"]
    ) {
        self.rank = rank
        self.alpha = alpha
        self.dropout = dropout
        self.targets = targets
    }

    private enum CodingKeys: String, CodingKey { case rank, alpha, dropout, targets }

    public init(from decoder: any Decoder) throws {
        let settings = try Settings(decoder, keyedBy: CodingKeys.self)
        let defaults = LoRA()
        rank = try settings.size(.rank, default: defaults.rank)
        alpha = try settings.magnitude(.alpha, default: defaults.alpha)
        guard alpha > 0 else { throw settings.refuse(.alpha, "alpha is 0; allowed: above 0") }
        dropout = try settings.probability(.dropout, default: defaults.dropout)
        targets = try settings.value(.targets, default: defaults.targets)
        let allowed = Self.projections.joined(separator: ", ")
        for target in targets where !Self.projections.contains(target) {
            throw settings.refuse(.targets, "there is no projection '\(target)'; allowed: \(allowed)")
        }
        guard !targets.isEmpty, Set(targets).count == targets.count else {
            throw settings.refuse(
                .targets, "targets is \(targets); allowed: each of \(allowed) once, at least one")
        }
    }
}

extension GPTModel {
    /// Freezes every weight, and puts adapters at the targets of each block.
    /// - Parameter seed: what A is drawn from, at an address for each place.
    mutating func adapt(_ lora: LoRA, seed: UInt64) throws {
        for item in parameters { item.tensor.requiringGradient(false) }
        for layer in blocks.indices {
            try blocks[layer].replaceProjections { name, projection in
                guard lora.targets.contains(name), let base = projection as? TransposedLinear else {
                    return projection
                }
                return try LoRALinear(
                    base, rank: lora.rank, alpha: lora.alpha, dropout: lora.dropout,
                    seed: derivedSeed(seed, "h.\(layer).\(name)"))
            }
        }
    }

    /// The same function with plain layers in place of adapted ones.
    func merged() -> GPTModel {
        var model = self
        for layer in blocks.indices {
            model.blocks[layer].replaceProjections { _, projection in
                (projection as? LoRALinear)?.merged() ?? projection
            }
        }
        return model
    }
}

extension GPTBlock {
    /// Puts what `make` gives for each projection, by its name, in its place.
    mutating func replaceProjections(
        _ make: (_ name: String, _ projection: any Module) throws -> any Module
    ) rethrows {
        attentionIn = try make("attn.c_attn", attentionIn)
        attentionOut = try make("attn.c_proj", attentionOut)
        hiddenIn = try make("mlp.c_fc", hiddenIn)
        hiddenOut = try make("mlp.c_proj", hiddenOut)
    }
}
