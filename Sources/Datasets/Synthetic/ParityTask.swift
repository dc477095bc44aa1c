import PerturbedEquations

/// Whether a random sequence of bits has an even (class 0) or an odd (class 1) number of ones.
///
/// See `DrawnSequences` for which sequences there are.
///
/// Source: Hochreiter and Schmidhuber 1996, Bridging Long Time Lags by Weight Guessing and "Long Short-Term Memory".
public struct ParityTask: DataSource {
    var drawn: DrawnSequences

    public init(length: Int = 16, train: Int = 10_000, test: Int = 1_000) {
        drawn = DrawnSequences(length: length)
        (drawn.train, drawn.test) = (train, test)
    }

    private enum CodingKeys: String, CodingKey { case length, train, test }

    public init(from decoder: any Decoder) throws {
        let settings = try SourceSettings(decoder, keyedBy: CodingKeys.self)
        drawn = try DrawnSequences(settings, length: 16, .length, .train, .test)
    }

    public func encode(to encoder: any Encoder) throws { try drawn.encode(to: encoder) }

    public static let entry = CatalogueEntry(
        name: "parity", summary: "random bits, even or odd; made, not downloaded",
        equation: "x = (b₁ … b_L), y = Σ b mod 2", parameters: DrawnSequences.parameters(length: 16),
        source:
            "Hochreiter and Schmidhuber 1996, Bridging Long Time Lags by Weight Guessing and Long Short-Term Memory"
    )

    public static var standard: ParityTask? { ParityTask() }

    public func load(from _: DataLocations) throws -> Dataset {
        func split(_ part: String) throws -> DataSplit {
            let sequences = drawn.draw("parity", part, symbols: 2)
            return try DataSplit(
                tokens: sequences.flatMap { $0.map(Int32.init) }, length: drawn.length,
                targets: sequences.map { Int64($0.reduce(0, +) % 2) }, named: "parity")
        }
        return Dataset(
            name: "parity", kind: ExampleKind(.tokens(vocabulary: 2, length: drawn.length), .oneClass(of: 2)),
            classNames: ["even", "odd"], train: try split("train"), test: try split("test"))
    }
}
