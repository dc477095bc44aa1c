/// GPT-2's tokenizer: byte-level byte-pair encoding. Any text has tokens, and they give it back to the byte.
///
/// ```swift
/// let tokenizer = try Tokenizer(directory: URL(fileURLWithPath: "gpt2"))
/// let tokens = tokenizer.encode("Hello world")  // [15496, 995]
/// let text = try tokenizer.decode(tokens)
/// ```
public struct Tokenizer: Sendable {
    /// A text that is one token wherever it stands, such as `<|endoftext|>`.
    public struct AddedToken: Sendable {
        public let text: String
        public let token: Int
        /// Whether it is looked for only after the others.
        let isNormalised: Bool
    }

    /// One more than the largest token.
    public let vocabularySize: Int
    public let added: [AddedToken]
    /// The added token that ends a text, such as `<|endoftext|>`; nil if there is none.
    public let endOfText: Int?
    private let bytes: [Int32: [UInt8]]
    private let byteTokens: [Int32]
    private let merges: MergeTable
    private let startsWithSpace: Bool

    /// - Parameters:
    ///   - vocabulary: the tokens' numbers by their spelling in `ByteAlphabet`.
    ///   - pairs: what is merged, in the order of rank, spelt likewise.
    ///   - added: no two of one text, none empty.
    ///   - end: the text of the added token that ends a text.
    ///   - startsWithSpace: whether a text without a space at its start gets one.
    ///   - name: the file's, for errors.
    ///   - place: what errors say a merge's place is, by its index.
    /// - Throws: `TokenizerError` where a byte has no token, a merge's parts or result none, or two tokens one number.
    init(
        vocabulary: [(spelling: String, token: Int)], merges pairs: [(String, String)],
        added: [AddedToken], end: String, startsWithSpace: Bool, name: String, place: (Int) -> String
    ) throws {
        var ids: [[UInt8]: Int32] = [:]
        var bytes: [Int32: [UInt8]] = [:]
        var largest = 0
        func use(_ token: Int, _ spelling: String, _ value: [UInt8]) throws {
            guard (0..<Int(Int32.max)).contains(token) else {
                throw TokenizerError(
                    .format,
                    "\(name): the token '\(spelling)' has the number \(token); allowed: 0 to 2147483646")
            }
            guard bytes.updateValue(value, forKey: Int32(token)) == nil else {
                throw TokenizerError(
                    .format, "\(name): two tokens have the number \(token); allowed: one each")
            }
            largest = max(largest, token)
        }
        // An added token is spelt as it is, and may be in the vocabulary too.
        let spelt = Dictionary(uniqueKeysWithValues: added.map { (Array($0.text.utf8), $0.token) })
        for (spelling, token) in vocabulary {
            let value = ByteAlphabet.decode(spelling)
            if spelt[Array(spelling.utf8)] == token {
                if let value { ids[value] = Int32(exactly: token) }
                continue
            }
            guard let value else {
                throw TokenizerError(
                    .format,
                    "\(name): the token '\(spelling)' has a character that stands for no byte; allowed: GPT-2's "
                        + "byte-level spelling")
            }
            try use(token, spelling, value)
            ids[value] = Int32(token)
        }
        for item in added { try use(item.token, item.text, Array(item.text.utf8)) }
        byteTokens = try (0...255).map { (byte: UInt8) in
            guard let token = ids[[byte]] else {
                throw TokenizerError(
                    .format,
                    "\(name): the byte \(byte) ('\(ByteAlphabet.characters[Int(byte)])') has no token; allowed: "
                        + "a vocabulary with all 256")
            }
            return token
        }
        var table = MergeTable()
        for (rank, pair) in pairs.enumerated() {
            func token(_ spelling: String) throws -> Int32 {
                guard let value = ByteAlphabet.decode(spelling), let token = ids[value] else {
                    throw TokenizerError(
                        .format,
                        "\(place(rank)): the merge '\(pair.0) \(pair.1)' needs the token '\(spelling)', which the "
                            + "vocabulary does not have")
                }
                return token
            }
            table.add(
                try token(pair.0), try token(pair.1), rank: rank, token: try token(pair.0 + pair.1))
        }
        self.bytes = bytes
        self.added = added
        self.startsWithSpace = startsWithSpace
        endOfText = spelt[Array(end.utf8)]
        merges = table
        vocabularySize = largest + 1
    }

    /// The tokens of a text, in which added tokens are recognised.
    public func encode(_ text: String) -> [Int] {
        var tokens: [Int] = []
        var known: [ArraySlice<UInt8>: [Int32]] = [:]
        for part in AddedToken.split(text, at: added) {
            switch part {
            case .token(let token): tokens.append(token)
            case .text(var text):
                if startsWithSpace, text.unicodeScalars.first != " " { text = " " + text }
                let utf8 = Array(text.utf8)
                WordSplitter.forEachWord(text) { range in
                    let word = utf8[range]
                    let pieces = known[word] ?? merges.merged(word.map { byteTokens[Int($0)] })
                    // Words come again and again; those of a strange text would fill the memory.
                    if known.count < 50_000, word.count < 64 { known[word] = pieces }
                    tokens += pieces.lazy.map(Int.init)
                }
            }
        }
        return tokens
    }

    /// The text of some tokens; bytes that are not UTF-8, as of a character cut in two, become U+FFFD.
    /// - Throws: `TokenizerError` for a number that is no token.
    public func decode(_ tokens: some Sequence<Int>) throws -> String {
        var text: [UInt8] = []
        for token in tokens { text += try spelling(of: token) }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes of a token, which may be a part of a character.
    /// - Throws: `TokenizerError` for a number that is no token.
    public func spelling(of token: Int) throws -> [UInt8] {
        guard let piece = Int32(exactly: token).flatMap({ bytes[$0] }) else {
            throw TokenizerError(
                .unknownToken,
                "there is no token \(token); allowed: those of the vocabulary of \(vocabularySize)")
        }
        return piece
    }
}
