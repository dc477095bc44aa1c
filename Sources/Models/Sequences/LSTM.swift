import Datasets
import TorchNN

/// Layers of LSTM cells on tokens: one class for the sequence, from its last place, or one at each token, such as the next one.
///
/// ```yaml
/// model: {lstm: {width: 128, hidden: 256, layers: 2}}
/// ```
public struct LSTM: ModelArchitecture, Hashable {
    public var recurrent: RecurrentSettings

    public init(_ recurrent: RecurrentSettings) { self.recurrent = recurrent }

    public init() { self.init(RecurrentSettings()) }

    public init(from decoder: any Decoder) throws { recurrent = try RecurrentSettings(from: decoder) }

    public func encode(to encoder: any Encoder) throws { try recurrent.encode(to: encoder) }

    public static let entry = ModelEntry(
        name: "lstm", summary: "Layers of LSTM cells, for texts and for classes of a sequence",
        equation: "(i, f, o) = σ(W·x + U·h + b), g = tanh(W·x + U·h + b); c ← f⊙c + i⊙g; h = o⊙tanh(c)",
        parameters: RecurrentSettings.parameters,
        source: "Hochreiter and Schmidhuber 1997, Long Short-Term Memory")

    public func build(for kind: ExampleKind, seed: UInt64) throws -> any Module {
        try recurrent.build(.lstm, "lstm", for: kind, seed: seed)
    }
}
