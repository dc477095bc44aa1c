import Datasets
import Torch
import TorchNN

/// What recurrent models have in common: an embedding, layers of cells, a linear head.
public struct RecurrentSettings: Codable, Sendable, Hashable {
    /// Numbers that stand for a token.
    public var width: Int
    /// Units of each layer.
    public var hidden: Int
    public var layers: Int
    /// Of the embedding and between layers; in 0..<1.
    public var dropout: Double
    /// α of NEFTune's noise on the embedding; 0: none.
    public var neftune: Double

    public init(
        width: Int = 128, hidden: Int = 256, layers: Int = 2, dropout: Double = 0, neftune: Double = 0
    ) {
        self.width = width
        self.hidden = hidden
        self.layers = layers
        self.dropout = dropout
        self.neftune = neftune
    }

    private enum CodingKeys: String, CodingKey { case width, hidden, layers, dropout, neftune }

    public init(from decoder: any Decoder) throws {
        let settings = try Settings(decoder, keyedBy: CodingKeys.self)
        let defaults = Self()
        width = try settings.size(.width, default: defaults.width)
        hidden = try settings.size(.hidden, default: defaults.hidden)
        layers = try settings.size(.layers, default: defaults.layers)
        dropout = try settings.probability(.dropout, default: defaults.dropout)
        neftune = try settings.magnitude(.neftune, default: defaults.neftune)
    }

    static let parameters: [ModelEntry.Parameter] = [
        .width("128"),
        .init(
            "hidden", type: "whole number", default: "256", allowed: "1 to 1000000",
            meaning: "the units of each layer"),
        .layers("2"), .sequenceDropout, .neftune,
    ]

    func build(
        _ cell: RecurrentCell, _ name: String, for kind: ExampleKind, seed: UInt64
    ) throws -> any Module {
        let (vocabulary, _) = try kind.tokens(for: name)
        func own(_ part: String) -> UInt64 { derivedSeed(seed, part) }
        return TokenClassifier(
            embedding: NEFTune(try Embedding(vocabulary, width, seed: own("embedding")), alpha: neftune),
            position: nil, bodyName: name,
            body: try Recurrent(
                cell, width, hidden, layers: layers, dropout: dropout, seed: own(name)),
            summary: kind.target.isPerToken ? .each : .last,
            head: try Linear(hidden, kind.target.classes, seed: own("head")), dropout: Dropout(dropout))
    }
}
