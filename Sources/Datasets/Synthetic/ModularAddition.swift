import PerturbedEquations

/// a + b modulo p, from the tokens a, +, b, =: all p² sums, a fixed share of them to fit with.
///
/// Numbers are tokens 0 to p − 1, + is p and = is p + 1. Which sums are for training is fixed: the first ones of
/// `NoiseKey(seed: 0).derived("modularAddition").permutation(of: p²)`, sum k being a = k/p, b = k mod p.
///
/// Source: Power et al. 2022, Grokking: Generalization Beyond Overfitting on Small Algorithmic Datasets.
public struct ModularAddition: DataSource {
    /// p, 2 to 1000 (default 97).
    public var modulus: Int
    /// In (0, 1) (default 0.5).
    public var trainFraction: Double

    public init(modulus: Int = 97, trainFraction: Double = 0.5) {
        self.modulus = modulus
        self.trainFraction = trainFraction
    }

    private enum CodingKeys: String, CodingKey { case modulus, trainFraction }

    public init(from decoder: any Decoder) throws {
        let settings = try SourceSettings(decoder, keyedBy: CodingKeys.self)
        modulus = try settings.number(.modulus, default: 97, in: 2...1000)
        trainFraction = try settings.share(.trainFraction, default: 0.5)
    }

    public static let entry = CatalogueEntry(
        name: "modularAddition", summary: "sums modulo a number, from tokens; made, not downloaded",
        equation: "x = (a, +, b, =), y = (a + b) mod p",
        parameters: [
            .init("modulus", "integer", default: "97", allowed: "2 to 1000", "p"),
            .init(
                "trainFraction", "number", default: "0.5", allowed: "more than 0, less than 1",
                "the share of the p² sums that is trained on"),
        ],
        source:
            "Power et al. 2022, Grokking: Generalization Beyond Overfitting on Small Algorithmic Datasets")

    public static var standard: ModularAddition? { ModularAddition() }

    public func load(from _: DataLocations) throws -> Dataset {
        let p = modulus
        let order = NoiseKey(seed: 0).derived("modularAddition").permutation(of: p * p)
        let cut = min(max(1, Int((Double(p * p) * trainFraction).rounded())), p * p - 1)
        func split(_ sums: ArraySlice<Int>) throws -> DataSplit {
            try DataSplit(
                tokens: sums.flatMap { [$0 / p, p, $0 % p, p + 1].map(Int32.init) }, length: 4,
                targets: sums.map { Int64(($0 / p + $0 % p) % p) }, named: "modularAddition")
        }
        return Dataset(
            name: "modularAddition",
            kind: ExampleKind(.tokens(vocabulary: p + 2, length: 4), .oneClass(of: p)),
            classNames: (0..<p).map(String.init), train: try split(order[..<cut]),
            test: try split(order[cut...]))
    }
}
