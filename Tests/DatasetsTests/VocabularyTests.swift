import Datasets
import Foundation
import TestSupport
import Testing
import Tokenizers

/// Texts by a tokenizer's tokens, and the vocabularies that runs keep.
@Suite struct VocabularyTests {
    @Test func aTextIsCutInTheTokenizersTokens() throws {
        let directory = try TemporaryDirectory()
        let tokenizer = directory.file("tokenizer.json")
        try TinyTokenizer.write(to: tokenizer)
        try Data(String(repeating: "hello hello<|endoftext|>", count: 20).utf8).write(
            to: directory.file("t.txt"))
        for path in [tokenizer.path, directory.url.path] {
            let data = try TextData(file: directory.file("t.txt").path, tokens: .tokenizer(path), length: 4)
                .load(from: DataLocations())
            #expect(data.kind == ExampleKind(.tokens(vocabulary: 262, length: 4), .classPerToken(of: 262)))
            #expect(data.classNames.count == 262 && data.classNames[260] == " hello")
            let (tokens, targets) = SequenceSourceTests.rows(data.train, 1)[0]
            #expect(tokens == [259, 260, 261, 259] && targets == [260, 261, 259, 260])
            // The last tenth of 60 tokens.
            #expect(data.test.count == 1)
        }
        // 60 tokens, of which the last 6 are too few for a block of 6 and the token after.
        let error = #expect(throws: DatasetError.self) {
            try TextData(file: directory.file("t.txt").path, tokens: .tokenizer(tokenizer.path), length: 6)
                .load(from: DataLocations())
        }
        #expect(error?.message.contains("t.txt, its test part has 6 tokens") == true)
        try Data(#"{"model": {"type": "Unigram"}}"#.utf8).write(to: tokenizer)
        #expect(throws: TokenizerError.self) {
            try TextData(file: directory.file("t.txt").path, tokens: .tokenizer(tokenizer.path))
                .load(from: DataLocations())
        }
    }

    @Test func vocabulariesAreKept() throws {
        let directory = try TemporaryDirectory()
        try TinyTokenizer.write(to: directory.file("tokenizer.json"))
        try Data(#"{"eos_token": "<|endoftext|>"}"#.utf8).write(to: directory.file("tokenizer_config.json"))
        let text = "hello\n\"é🙂\u{0}e\u{301}"
        for (number, vocabulary) in [
            TextVocabulary.characters(Characters(of: text)),
            try TextVocabulary(tokenizer: directory.url.path),
        ].enumerated() {
            let kept = directory.file("kept-\(number)")
            try FileManager.default.createDirectory(at: kept, withIntermediateDirectories: false)
            try vocabulary.keep(in: kept)
            let back = try TextVocabulary(keptIn: kept)
            #expect(back.count == vocabulary.count && back.endOfText == vocabulary.endOfText)
            #expect(back.names == vocabulary.names)
            let tokens = try back.encode(text)
            #expect(try tokens == vocabulary.encode(text))
            #expect(try Array(back.decode(tokens).utf8) == Array(text.utf8))
            #expect(throws: (any Error).self) { try back.decode([back.count]) }
        }
        let characters = try TextVocabulary(keptIn: directory.file("kept-0"))
        let error = #expect(throws: DatasetError.self) { try characters.encode("hello x") }
        #expect(error?.message.contains("the character ' '") == true)
        let fault = fuzz([try Data(contentsOf: directory.file("kept-0/characters.json"))]) { data in
            try data.write(to: directory.file("kept-0/characters.json"))
            _ = try TextVocabulary(keptIn: directory.file("kept-0"))
        } allows: {
            ($0 as? DatasetError)?.message.contains("characters.json") == true
        }
        #expect(fault == nil)
    }
}
