import TorchNN

/// The sizes and functions of a decoder of the GPT-2 family.
public struct GPTShape: Sendable, Hashable {
    /// The function of a block's hidden units.
    public enum HiddenFunction: Sendable, Hashable {
        /// GELU by its tanh formula, GPT-2's own.
        case tanhGELU
        case named(Activation)
    }

    public var vocabulary: Int
    /// The longest sequence.
    public var context: Int
    public var width: Int
    public var layers: Int
    /// Must divide the width.
    public var heads: Int
    /// Units of each block's hidden layer.
    public var hidden: Int
    public var function = HiddenFunction.tanhGELU
    /// ε of the layer normalisations.
    public var epsilon = 1e-5
    /// Of the embedding, in 0..<1.
    public var embeddingDropout = 0.0
    /// Of the softmax, in 0..<1.
    public var attentionDropout = 0.0
    /// Of what each block adds, in 0..<1.
    public var residualDropout = 0.0
    /// Whether the head is the embedding's weight.
    public var tiesHead = true

    /// - Parameter hidden: 4·width unless told.
    public init(vocabulary: Int, context: Int, width: Int, layers: Int, heads: Int, hidden: Int? = nil) {
        self.vocabulary = vocabulary
        self.context = context
        self.width = width
        self.layers = layers
        self.heads = heads
        self.hidden = hidden ?? 4 * width
    }

    /// The same with one probability for all dropout.
    public func dropping(_ probability: Double) -> GPTShape {
        var shape = self
        shape.embeddingDropout = probability
        shape.attentionDropout = probability
        shape.residualDropout = probability
        return shape
    }
}
