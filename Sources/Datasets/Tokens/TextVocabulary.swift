import Foundation
import Safetensors
import Tokenizers

/// How a data set's text and its tokens turn into one another; kept with a run, so that its model can be asked later.
public enum TextVocabulary: Sendable {
    case characters(Characters)
    /// Byte pairs, and the files that they were read from.
    case bytePairs(Tokenizer, files: [String: Data])

    private static let charactersName = "characters.json"

    /// Reads a tokenizer as Hugging Face publishes it.
    /// - Parameter path: of a folder, or of a `tokenizer.json`.
    /// - Throws: `TokenizerError`, `FileError`.
    public init(tokenizer path: String) throws {
        let url = URL(fileURLWithPath: path)
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        guard exists, isFolder.boolValue else {
            self = .bytePairs(
                try Tokenizer(json: url), files: ["tokenizer.json": try MappedFile.contents(of: url)])
            return
        }
        self = .bytePairs(try Tokenizer(directory: url), files: try Self.files(of: url))
    }

    /// Reads what ``keep(in:)`` wrote.
    /// - Throws: `DatasetError`, `TokenizerError`, `FileError`.
    public init(keptIn directory: URL) throws {
        let url = directory.appendingPathComponent(Self.charactersName)
        guard FileManager.default.fileExists(atPath: url.path) else {
            try self.init(tokenizer: directory.path)
            return
        }
        let values = try? JSONValue(MappedFile.contents(of: url)).array
        guard let texts = values?.map({ $0.string ?? "" }), let characters = Characters(vocabulary: texts)
        else {
            throw DatasetError(
                .format, "\(url.path) is no list of characters; allowed: each different, of one scalar")
        }
        self = .characters(characters)
    }

    private static func files(of directory: URL) throws -> [String: Data] {
        var files: [String: Data] = [:]
        for name in Tokenizer.fileNames {
            let url = directory.appendingPathComponent(name)
            guard FileManager.default.fileExists(atPath: url.path) else { continue }
            files[name] = try MappedFile.contents(of: url)
        }
        return files
    }

    /// Writes the files that ``init(keptIn:)`` reads into a directory that exists.
    /// - Throws: `FileError`.
    public func keep(in directory: URL) throws {
        let files: [String: Data]
        switch self {
        case .bytePairs(_, let own): files = own
        case .characters(let characters):
            files = [Self.charactersName: try JSONEncoder().encode(characters.vocabulary)]
        }
        for (name, data) in files { try AtomicFile.write(data, to: directory.appendingPathComponent(name)) }
    }

    /// One more than the largest token.
    public var count: Int {
        switch self {
        case .characters(let characters): characters.vocabulary.count
        case .bytePairs(let tokenizer, _): tokenizer.vocabularySize
        }
    }

    /// The token that ends a text; nil if there is none.
    public var endOfText: Int? {
        if case .bytePairs(let tokenizer, _) = self { tokenizer.endOfText } else { nil }
    }

    /// The text of each token; a part of a character is U+FFFD, a number that is no token empty.
    public var names: [String] {
        switch self {
        case .characters(let characters): characters.vocabulary
        case .bytePairs(let tokenizer, _): (0..<count).map { (try? tokenizer.decode([$0])) ?? "" }
        }
    }

    /// The tokens of a text.
    /// - Throws: `DatasetError` for a character that the vocabulary does not have.
    public func encode(_ text: String) throws -> [Int] {
        switch self {
        case .bytePairs(let tokenizer, _): return tokenizer.encode(text)
        case .characters(let characters):
            if let tokens = characters.encode(text) { return tokens.map(Int.init) }
            let known = Set(characters.vocabulary)
            let strange = text.unicodeScalars.first { !known.contains(String($0)) }
            throw DatasetError(
                .value,
                "the text has the character '\(strange.map(String.init) ?? "")', which the vocabulary does not; "
                    + "allowed: its \(known.count) characters")
        }
    }

    /// The text of tokens.
    /// - Throws: `TokenizerError` or `DatasetError` for a number that is no token.
    public func decode(_ tokens: [Int]) throws -> String {
        switch self {
        case .bytePairs(let tokenizer, _): return try tokenizer.decode(tokens)
        case .characters(let characters):
            if let token = tokens.first(where: { !characters.vocabulary.indices.contains($0) }) {
                throw DatasetError(
                    .value, "there is no token \(token); allowed: 0 to \(characters.vocabulary.count - 1)")
            }
            return characters.decode(tokens)
        }
    }
}
