import Torch
import TorchNN

/// GPT-2: scores [n, length, vocabulary] of the token after each of the tokens [n, length] and those before it.
///
/// ```
/// x = W[tokens] + P;  x ← block(x), layers times;  scores = W·ln_f(x)
/// ```
///
/// Names: `wte`, `wpe`, `h.0.…`, `ln_f`, as `GPT2Model` of Hugging Face's transformers; the head is `wte`'s weight, or
/// `lm_head.weight`.
/// Source: Radford et al. 2019, Language Models are Unsupervised Multitask Learners.
public struct GPTModel: Module {
    /// The tokens' rows: an `Embedding`'s, or noisy in training.
    public let embedding: NEFTune
    /// P [context, width].
    public let positions: Embedding
    public var blocks: [GPTBlock]
    public let norm: LayerNorm
    /// Asked for one class of a sequence: the scores [n, classes] of the first tokens after the last place; nil: of all
    /// tokens after each place.
    public var classes: Int?
    public let shape: GPTShape
    /// [vocabulary, width]; nil: the embedding's weight.
    public let head: Tensor?

    /// - Parameter neftune: α of the embedding's noise in training; 0: none.
    /// - Throws: `TorchError` where there is no memory. Traps for sizes below 1 and heads that do not divide the width.
    public init(_ shape: GPTShape, neftune: Double = 0, seed: UInt64) throws(TorchError) {
        self.shape = shape
        embedding = NEFTune(
            try smallEmbedding(shape.vocabulary, shape.width, seed: derivedSeed(seed, "wte")), alpha: neftune)
        positions = try smallEmbedding(shape.context, shape.width, seed: derivedSeed(seed, "wpe"))
        var blocks: [GPTBlock] = []
        for layer in 0..<shape.layers {
            blocks.append(try GPTBlock(shape, seed: derivedSeed(seed, "h.\(layer)")))
        }
        self.blocks = blocks
        norm = try LayerNorm([shape.width], epsilon: shape.epsilon)
        head =
            shape.tiesHead
            ? nil
            : try smallEmbedding(shape.vocabulary, shape.width, seed: derivedSeed(seed, "lm_head")).weight
    }

    public var ownParameters: [NamedTensor] { head.map { [NamedTensor("lm_head.weight", $0)] } ?? [] }

    public var children: [NamedModule] {
        [NamedModule("wte", embedding), NamedModule("wpe", positions)]
            + blocks.enumerated().map { NamedModule("h.\($0.offset)", $0.element) } + [
                NamedModule("ln_f", norm)
            ]
    }

    /// Traps for a sequence longer than the context, and for a token outside the vocabulary.
    public func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        let rows = embedding.forward(x, context.entering("wte"))
        var x = rows + positions.weight[0..<x.size(-1)]
        x = Dropout(shape.embeddingDropout).forward(x, context.entering("drop"))
        for (number, block) in blocks.enumerated() {
            x = block.forward(x, context.entering("h.\(number)"))
        }
        let weight = head ?? embedding.embedding.weight
        guard let classes else { return norm.forward(x, context).linear(weight, nil) }
        let last = x.selected(1, at: x.size(1) - 1)
        return norm.forward(last, context).linear(weight[0..<classes], nil)
    }
}
