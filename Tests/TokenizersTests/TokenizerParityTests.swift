import Foundation
import TestSupport
import Testing
import Tokenizers

/// Our tokens against Hugging Face's on fuzzed text: a vocabulary is trained there, and both files are read here.
@Suite struct TokenizerParityTests {
    /// Trains on words that exercise every branch, and encodes the texts of `texts.json`.
    private static let script = """
        import json
        from tokenizers import ByteLevelBPETokenizer
        from transformers import GPT2TokenizerFast
        folder = sys.argv[1]
        corpus = json.load(open(folder + "/corpus.json"))
        trainer = ByteLevelBPETokenizer()
        trainer.train_from_iterator(corpus, vocab_size=900, min_frequency=1, special_tokens=["<|endoftext|>"],
                                    show_progress=False)
        trainer.save_model(folder)
        GPT2TokenizerFast.from_pretrained(folder).save_pretrained(folder)
        fast = GPT2TokenizerFast.from_pretrained(folder)
        texts = json.load(open(folder + "/texts.json"))
        ids = [fast.encode(text) for text in texts]
        cut = [fast.decode(i[1:-1], clean_up_tokenization_spaces=False) for i in ids]
        json.dump({"ids": ids, "cut": cut}, open(folder + "/expected.json", "w"))
        """

    private struct Expected: Decodable {
        var ids: [[Int]]
        var cut: [String]
    }

    /// Pieces that the splitter's pattern tells apart, from several scripts and planes.
    private static let pieces = [
        " ", "  ", "\n", "\t", "\r\n", "\u{A0}", "\u{3000}", "\u{2028}", "\u{85}", "\u{200B}", "'s", "'re",
        "'LL", "'",
        "’t", "don't", "hello", "Hello", "world", "the", "a", "Zürich", "naïve", "e\u{301}", "日本語", "العربية",
        "हिन्दी", "한국어", "Ω", "ﬁ", "²", "½", "Ⅷ", "٣", "123", "0", "7.5", "!?", "...", "#", "_", "—", "€", "👩‍👩‍👧",
        "🙂", "\u{FE0F}", "\u{0}", "\u{1F}", "\u{1C}", "<|endoftext|>", "<|endoftext", "|>", "ǅ", "ʰ", "𝒳",
        "\u{E000}",
    ]

    /// Some of 512 characters from `first` on, each after a letter and after a number.
    private static func everyKind(from first: UInt32) -> String {
        var text = ""
        for value in first..<first + 512 where value % 7 == 0 || (0x323B0...0x33479).contains(value) {
            if let scalar = Unicode.Scalar(value) { text += "a\(scalar)1\(scalar) " }
        }
        return text
    }

    @Test func tokensAreHuggingFaces() throws {
        let directory = try TemporaryDirectory()
        var random = SeededGenerator()
        func text(_ longest: Int) -> String {
            (0..<Int.random(in: 1...longest, using: &random)).map { _ in
                Self.pieces.randomElement(using: &random)!
            }
            .joined()
        }
        let corpus =
            (0..<300).map { _ in text(20) } + (0..<40).map { _ in "hello world, the naïve world's end. " }
        var texts = [
            "", " ", "\n\n", "hello", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "<|endoftext|><|endoftext|>",
        ]
        texts += (0..<3000).map { _ in text(25) }
        // Letters, numbers, spaces and others of all planes, and of the newest Unicode.
        texts += stride(from: 0x80, to: 0x33480, by: 512).map(Self.everyKind)
        try JSONEncoder().encode(corpus).write(to: directory.file("corpus.json"))
        try JSONEncoder().encode(texts).write(to: directory.file("texts.json"))
        _ = try HuggingFacePython.run(Self.script, directory.url.path)
        let expected = try JSONDecoder().decode(
            Expected.self, from: Data(contentsOf: directory.file("expected.json")))

        let two = try Tokenizer(
            vocabulary: directory.file("vocab.json"), merges: directory.file("merges.txt"))
        let one = try Tokenizer(directory: directory.url)
        #expect(one.vocabularySize == 900 && two.vocabularySize == 900)
        #expect(one.endOfText == two.endOfText && one.endOfText == 0)
        for (index, text) in texts.enumerated() {
            let tokens = one.encode(text)
            #expect(
                tokens == expected.ids[index], "\(text.unicodeScalars.map { String($0.value, radix: 16) })")
            #expect(two.encode(text) == tokens)
            #expect(try Array(one.decode(tokens).utf8) == Array(text.utf8))
            // Characters that are cut in two.
            #expect(try one.decode(tokens.dropFirst().dropLast()) == expected.cut[index])
        }
    }
}
