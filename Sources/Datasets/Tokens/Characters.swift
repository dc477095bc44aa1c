/// A text's characters as tokens: the k-th different Unicode scalar, in their order, is token k.
public struct Characters: Sendable, Hashable {
    /// Each token's text.
    public let vocabulary: [String]
    private let numbers: [Unicode.Scalar: Int32]

    /// The characters that a text has.
    public init(of text: String) {
        let scalars = Set(text.unicodeScalars).sorted()
        vocabulary = scalars.map { String($0) }
        numbers = Dictionary(uniqueKeysWithValues: scalars.enumerated().map { ($1, Int32($0)) })
    }

    /// A vocabulary that was kept; nil unless its texts are different and one scalar each.
    init?(vocabulary: [String]) {
        let scalars = vocabulary.flatMap(\.unicodeScalars)
        guard vocabulary.allSatisfy({ $0.unicodeScalars.count == 1 }), Set(scalars).count == scalars.count
        else { return nil }
        self.vocabulary = vocabulary
        numbers = Dictionary(uniqueKeysWithValues: scalars.enumerated().map { ($1, Int32($0)) })
    }

    /// The tokens of a text; nil where it has a character that is none of the vocabulary's.
    public func encode(_ text: String) -> [Int32]? {
        var tokens: [Int32] = []
        tokens.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            guard let number = numbers[scalar] else { return nil }
            tokens.append(number)
        }
        return tokens
    }

    /// The text of tokens.
    ///
    /// - Precondition: each is in the vocabulary.
    public func decode(_ tokens: [Int]) -> String { tokens.map { vocabulary[$0] }.joined() }
}
