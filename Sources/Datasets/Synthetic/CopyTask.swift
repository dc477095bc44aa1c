import PerturbedEquations

/// A random sequence to be said again: s₁ … s_L, a mark, s₁ … s_{L−1}; asked for, from the mark on, is s₁ … s_L.
///
/// Symbols are tokens 0 to `symbols` − 1, the mark is the next one. See `DrawnSequences` for which ones there are.
///
/// Source: Graves, Wayne and Danihelka 2014, Neural Turing Machines.
public struct CopyTask: DataSource {
    /// 2 to 10000 (default 8).
    public var symbols: Int
    var drawn: DrawnSequences

    public init(symbols: Int = 8, length: Int = 8, train: Int = 10_000, test: Int = 1_000) {
        self.symbols = symbols
        drawn = DrawnSequences(length: length)
        (drawn.train, drawn.test) = (train, test)
    }

    private enum CodingKeys: String, CodingKey { case symbols, length, train, test }

    public init(from decoder: any Decoder) throws {
        let settings = try SourceSettings(decoder, keyedBy: CodingKeys.self)
        symbols = try settings.number(.symbols, default: 8, in: 2...10_000)
        drawn = try DrawnSequences(settings, length: 8, .length, .train, .test)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(symbols, forKey: .symbols)
        try drawn.encode(to: encoder)
    }

    public static let entry = CatalogueEntry(
        name: "copy", summary: "random sequences to be said again; made, not downloaded",
        equation: "x = (s₁ … s_L, mark, s₁ … s_{L−1}), y = s₁ … s_L from the mark on",
        parameters: [
            .init("symbols", "integer", default: "8", allowed: "2 to 10000", "how many different ones")
        ] + DrawnSequences.parameters(length: 8),
        source: "Graves, Wayne and Danihelka 2014, Neural Turing Machines")

    public static var standard: CopyTask? { CopyTask() }

    public func load(from _: DataLocations) throws -> Dataset {
        let length = drawn.length
        func split(_ part: String) throws -> DataSplit {
            var (tokens, targets): ([Int32], [Int64]) = ([], [])
            for sequence in drawn.draw("copy", part, symbols: symbols) {
                tokens += (sequence + [symbols] + sequence.dropLast()).map(Int32.init)
                targets += [Int64](repeating: TargetKind.ignored, count: length) + sequence.map(Int64.init)
            }
            return try DataSplit(tokens: tokens, length: 2 * length, targets: targets, named: "copy")
        }
        return Dataset(
            name: "copy",
            kind: ExampleKind(
                .tokens(vocabulary: symbols + 1, length: 2 * length), .classPerToken(of: symbols + 1)),
            classNames: (0..<symbols).map(String.init) + ["mark"], train: try split("train"),
            test: try split("test"))
    }
}
