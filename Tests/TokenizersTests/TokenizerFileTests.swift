import Foundation
import Safetensors
import TestSupport
import Testing
import Tokenizers

/// Files that are not what they should be, and damaged ones.
@Suite struct TokenizerFileTests {
    private func write(
        _ directory: TemporaryDirectory,
        change: (inout [String: Any], inout [String: Any]) -> Void = { _, _ in }
    ) throws {
        try TinyTokenizer.write(to: directory.file("tokenizer.json"), change: change)
    }

    @Test func aKnownText() throws {
        let directory = try TemporaryDirectory()
        try write(directory) { _, file in file["added_tokens"] = [TinyTokenizer.added("<end>", 261)] }
        let tokenizer = try Tokenizer(directory: directory.url)
        #expect(tokenizer.encode("hello hello<end>hell") == [259, 260, 261, 258])
        #expect(tokenizer.vocabularySize == 262)
        #expect(try tokenizer.decode([259, 261, 260]) == "hello<end> hello")
        let error = #expect(throws: TokenizerError.self) { try tokenizer.decode([1, 299]) }
        #expect(error?.code == .unknownToken && error?.message.contains("299") == true)
    }

    @Test func otherKindsAreRefusedByName() throws {
        let cases: [(String, (inout [String: Any], inout [String: Any]) -> Void)] = [
            ("model.type is 'WordPiece'", { model, _ in model["type"] = "WordPiece" }),
            ("version is '2.0'", { _, file in file["version"] = "2.0" }),
            ("truncation is an object", { _, file in file["truncation"] = ["max_length": 3] }),
            ("the file has the key 'seed'", { _, file in file["seed"] = 3 }),
            ("decoder is missing", { _, file in file["decoder"] = nil }),
            ("decoder is 'Metaspace'", { _, file in file["decoder"] = ["type": "Metaspace"] }),
            (
                "pre_tokenizer.add_prefix_space is missing",
                { _, file in file["pre_tokenizer"] = ["type": "ByteLevel", "trim_offsets": true] }
            ),
            ("model.dropout is 0.5", { model, _ in model["dropout"] = 0.5 }),
            (
                "model.vocab has the value 256.5",
                { model, _ in
                    model["vocab"] = TinyTokenizer.vocabulary.mapValues { Double($0) + ($0 == 256 ? 0.5 : 0) }
                }
            ),
            (
                "the id of the added token '<x>' is 300; allowed: 261",
                { _, file in
                    file["added_tokens"] = [TinyTokenizer.added("<x>", 300)]
                }
            ),
            (
                "lstrip of the added token '<x>' is true",
                { _, file in
                    file["added_tokens"] = [TinyTokenizer.added("<x>", 261, "lstrip")]
                }
            ),
            (
                "the added token '<x>' is given twice",
                { _, file in
                    file["added_tokens"] = [TinyTokenizer.added("<x>", 261), TinyTokenizer.added("<x>", 262)]
                }
            ),
            ("normalizer is 'NFC'", { _, file in file["normalizer"] = ["type": "NFC"] }),
            ("pre_tokenizer is 'Metaspace'", { _, file in file["pre_tokenizer"] = ["type": "Metaspace"] }),
            ("pre_tokenizer is missing", { _, file in file["pre_tokenizer"] = nil }),
            ("post_processor is 'Template'", { _, file in file["post_processor"] = ["type": "Template"] }),
            ("model.ignore_merges is true", { model, _ in model["ignore_merges"] = true }),
            ("model.merges[0]", { model, _ in model["merges"] = ["he"] }),
            (
                "needs the token 'q'",
                { model, _ in
                    model["merges"] = ["q ll"]
                    model["vocab"] = Self.without("q")
                }
            ),
            ("needs the token 'ol'", { model, _ in model["merges"] = ["o l"] }),
            ("the byte 65 ('A') has no token", { model, _ in model["vocab"] = Self.without("A") }),
            (
                "stands for no byte",
                { model, _ in model["vocab"] = TinyTokenizer.vocabulary.merging(["日": 900]) { $1 } }
            ),
            (
                "two tokens have the number 3",
                { model, _ in model["vocab"] = TinyTokenizer.vocabulary.merging(["lo": 3]) { $1 } }
            ),
            (
                "the number -1",
                { model, _ in model["vocab"] = TinyTokenizer.vocabulary.merging(["lo": -1]) { $1 } }
            ),
            ("no content or no id", { _, file in file["added_tokens"] = [["content": "x"]] }),
        ]
        for (words, change) in cases {
            let directory = try TemporaryDirectory()
            try write(directory) { model, file in
                // Whose number depends on the vocabulary's size.
                file["added_tokens"] = [[String: Any]]()
                change(&model, &file)
            }
            let error = #expect(throws: TokenizerError.self, "\(words)") {
                try Tokenizer(directory: directory.url)
            }
            // A vocabulary without a byte is at fault before a merge that needs it.
            let said = error?.message ?? ""
            #expect(
                said.contains(words) || words.contains("'q'") && said.contains("('q') has no token"),
                "\(said)")
            #expect(said.contains("tokenizer.json"), "\(said)")
        }
        let empty = try TemporaryDirectory()
        #expect(throws: FileError.self) { try Tokenizer(directory: empty.url) }
    }

    private static func without(_ token: String) -> [String: Int] {
        TinyTokenizer.vocabulary.filter { $0.key != token }
    }

    @Test func aBadMergeNamesItsLine() throws {
        let directory = try TemporaryDirectory()
        let (vocabulary, merges) = (directory.file("vocab.json"), directory.file("merges.txt"))
        try JSONEncoder().encode(TinyTokenizer.vocabulary).write(to: vocabulary)
        for (line, words) in [("h e l", "no merge"), ("x y", "needs the token 'xy'")] {
            try Data("#version: 0.2\nh e\n\(line)\n".utf8).write(to: merges)
            let error = #expect(throws: TokenizerError.self) {
                try Tokenizer(vocabulary: vocabulary, merges: merges)
            }
            #expect(
                error?.message.contains("merges.txt, line 3") == true
                    && error?.message.contains(words) == true)
        }
    }

    /// The configuration beside the files: another end of the text, and settings that would add tokens.
    @Test func theConfigurationCounts() throws {
        let directory = try TemporaryDirectory()
        let config = directory.file("tokenizer_config.json")
        try write(directory) { _, file in file["added_tokens"] = [TinyTokenizer.added("</s>", 261)] }
        #expect(try Tokenizer(directory: directory.url).endOfText == nil)
        try Data(#"{"eos_token": {"content": "</s>"}, "add_prefix_space": false}"#.utf8).write(to: config)
        #expect(try Tokenizer(directory: directory.url).endOfText == 261)
        for (text, words) in [
            (#"{"add_bos_token": true}"#, "add_bos_token is true"),
            (#"{"add_prefix_space": true}"#, "add_prefix_space is false; allowed: true"),
            (#"{"eos_token": ""}"#, "eos_token is ''"), ("[]", "tokenizer_config.json"),
        ] {
            try Data(text.utf8).write(to: config)
            let error = #expect(throws: TokenizerError.self) { try Tokenizer(directory: directory.url) }
            #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
        }
    }

    private static let script = """
        import json
        from tokenizers import Tokenizer
        text = open(sys.argv[2], encoding="utf-8", newline="").read()
        answers = []
        for path in sorted(os.listdir(sys.argv[1]), key=int):
            try:
                answers.append(Tokenizer.from_file(os.path.join(sys.argv[1], path)).encode(text).ids)
            except Exception:
                answers.append(None)
        print(json.dumps(answers))
        """

    /// A damaged file is refused by an error that names it, or has the tokens that Hugging Face's reader has of it.
    @Test func damagedFilesAreRefusedOrReadAlike() throws {
        let directory = try TemporaryDirectory()
        try write(directory) { _, file in
            file["added_tokens"] = [
                TinyTokenizer.added("<|endoftext|>", 261, "special"),
                TinyTokenizer.added("<|end", 262, "normalized"),
                TinyTokenizer.added("hellohello", 263, "normalized"),
            ]
        }
        let whole = try Data(contentsOf: directory.file("tokenizer.json"))
        let text = " hello hellhellohello ünï 日本\n<|endoftext|>hello<|end \n<|endoftext|> \u{0}!ello"
        try Data(text.utf8).write(to: directory.file("text"))
        let folder = directory.file("damaged")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        var ours: [[Int]] = []
        func read(_ data: Data) throws {
            try data.write(to: directory.file("tokenizer.json"))
            let tokenizer = try Tokenizer(directory: directory.url)
            // Those that are read; the refused ones may be anything.
            try data.write(to: folder.appendingPathComponent("\(ours.count)"))
            ours.append(tokenizer.encode(text))
            #expect(try tokenizer.decode(ours.last!).filter { $0 != " " } == text.filter { $0 != " " })
        }
        func allows(_ error: any Error) -> Bool {
            (error as? TokenizerError)?.message.contains("tokenizer.json") == true
        }
        let words = [
            "true", "false", "null", "{}", "[]", "\"version\"", "\"normalizer\"", "add_prefix_space",
            "use_regex",
            "normalized", "lstrip", "262", "\"he\": 3,", "\\u0120", "h",
        ]
        #expect(fuzz([whole], tokens: words, rounds: 3000, read, allows: allows) == nil)
        // Damage that leaves it JSON is read more often.
        var random = SeededGenerator()
        let tree = try JSONSerialization.jsonObject(with: whole)
        for round in 0..<1500 {
            let damaged = Self.damaged(tree, &random)
            do {
                try read(JSONSerialization.data(withJSONObject: damaged, options: .fragmentsAllowed))
            } catch {
                #expect(allows(error), "PEO_TEST_SEED=\(random.seed), round \(round): \(error)")
            }
        }
        let answer = try HuggingFacePython.run(Self.script, folder.path, directory.file("text").path)
        let theirs = try JSONDecoder().decode([[Int]?].self, from: Data(answer.utf8))
        #expect(ours.count == theirs.count && ours.count > 20)
        for (number, (own, other)) in zip(ours, theirs).enumerated() where own != other {
            let file = try String(contentsOf: folder.appendingPathComponent("\(number)"), encoding: .utf8)
            Issue.record("\(own) is not \(other.map { "\($0)" } ?? "refused") of \(file)")
        }
    }

    /// A tree of JSON with one thing in it changed, mostly near its leaves.
    private static func damaged(_ tree: Any, _ random: inout SeededGenerator) -> Any {
        let values: [Any] = [
            true, false, NSNull(), 0, 1, 261, 2.5, "", "he", "ByteLevel", [Any](), [String: Any](),
        ]
        if var object = tree as? [String: Any], let key = object.keys.sorted().randomElement(using: &random),
            Int.random(in: 0..<8, using: &random) > 0
        {
            let other = object.keys.sorted().randomElement(using: &random)!
            switch Int.random(in: 0..<10, using: &random) {
            case 0: object[key] = nil
            case 1: object[key + "s"] = object.removeValue(forKey: key)
            case 2: (object[key], object[other]) = (object[other], object[key])
            default: object[key] = damaged(object[key]!, &random)
            }
            return object
        }
        if var array = tree as? [Any], !array.isEmpty, Int.random(in: 0..<8, using: &random) > 0 {
            let (place, other) = (
                array.indices.randomElement(using: &random)!, array.indices.randomElement(using: &random)!
            )
            switch Int.random(in: 0..<6, using: &random) {
            case 0: array.remove(at: place)
            case 1: array.append(array[place])
            case 2: array.swapAt(place, other)
            default: array[place] = damaged(array[place], &random)
            }
            return array
        }
        return values.randomElement(using: &random)!
    }

    @Test func damagedMergesAndVocabularies() throws {
        let directory = try TemporaryDirectory()
        let (vocabulary, merges) = (directory.file("vocab.json"), directory.file("merges.txt"))
        let wholeVocabulary = try JSONEncoder().encode(TinyTokenizer.vocabulary)
        let wholeMerges = Data(
            ("#version: 0.2\n"
                + TinyTokenizer.merges.map { $0.joined(separator: " ") }.joined(separator: "\n")).utf8)
        let text = "hello hello"
        func read() throws {
            let tokenizer = try Tokenizer(vocabulary: vocabulary, merges: merges)
            #expect(try tokenizer.decode(tokenizer.encode(text)) == text)
        }
        try wholeVocabulary.write(to: vocabulary)
        let first = fuzz([wholeMerges], tokens: ["#version", "\r\n", " ", "he"]) { data in
            try data.write(to: merges)
            try read()
        } allows: {
            ($0 as? TokenizerError)?.message.contains("merges.txt") == true
        }
        #expect(first == nil)
        try wholeMerges.write(to: merges)
        let second = fuzz([wholeVocabulary], tokens: ["\"he\": 256,", "{", "[[[["]) { data in
            try data.write(to: vocabulary)
            try read()
        } allows: {
            $0 is TokenizerError
        }
        #expect(second == nil)
    }
}
