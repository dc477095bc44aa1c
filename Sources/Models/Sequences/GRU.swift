import Datasets
import TorchNN

/// Layers of GRU cells on tokens: one class for the sequence, from its last place, or one at each token, such as the next one.
///
/// ```yaml
/// model: {gru: {width: 128, hidden: 256, layers: 2}}
/// ```
public struct GRU: ModelArchitecture, Hashable {
    public var recurrent: RecurrentSettings

    public init(_ recurrent: RecurrentSettings) { self.recurrent = recurrent }

    public init() { self.init(RecurrentSettings()) }

    public init(from decoder: any Decoder) throws { recurrent = try RecurrentSettings(from: decoder) }

    public func encode(to encoder: any Encoder) throws { try recurrent.encode(to: encoder) }

    public static let entry = ModelEntry(
        name: "gru", summary: "Layers of GRU cells, for texts and for classes of a sequence",
        equation: "(r, z) = σ(W·x + U·h + b), n = tanh(W·x + b + r⊙(U·h + b′)); h ← (1 − z)⊙n + z⊙h",
        parameters: RecurrentSettings.parameters,
        source: "Cho et al. 2014, Learning Phrase Representations using RNN Encoder–Decoder")

    public func build(for kind: ExampleKind, seed: UInt64) throws -> any Module {
        try recurrent.build(.gru, "gru", for: kind, seed: seed)
    }
}
