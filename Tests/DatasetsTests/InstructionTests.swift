import Datasets
import Foundation
import TestSupport
import Testing

/// Instructions: what is asked for, what is cut, what is refused.
@Suite struct InstructionTests {
    private let directory: TemporaryDirectory
    private var tokenizer: String { directory.file("tokenizer.json").path }

    init() throws {
        directory = try TemporaryDirectory()
        try TinyTokenizer.write(to: directory.file("tokenizer.json"))
    }

    private func file(_ name: String, _ lines: String...) throws -> String {
        let url = directory.file(name)
        try Data(lines.joined(separator: "\n").utf8).write(to: url)
        return url.path
    }

    private func load(
        _ train: String, length: Int = 64, tooLong: InstructionData.TooLong = .skip,
        template: InstructionTemplate = .init()
    ) throws -> Dataset {
        try InstructionData(
            train: train, test: train, tokenizer: tokenizer, length: length, tooLong: tooLong,
            template: template
        ).load(from: DataLocations())
    }

    /// The inputs of one example as text, and what is asked for after them.
    private func read(_ data: Dataset, _ row: Int) throws -> (inputs: String, asked: String, padded: Int) {
        let length = data.train.length(of: [row])
        var (tokens, targets) = ([Int64](repeating: -7, count: length), [Int64](repeating: -7, count: length))
        tokens.withUnsafeMutableBufferPointer { tokens in
            targets.withUnsafeMutableBufferPointer { targets in
                data.train.copyTokens([row], into: tokens, targets: targets)
            }
        }
        let vocabulary = try #require(data.vocabulary)
        let asked = targets.filter { $0 != TargetKind.ignored }.map(Int.init)
        #expect(asked.count == data.train.targetCount(of: [row]))
        let last = try #require(targets.lastIndex { $0 != TargetKind.ignored })
        return (
            try vocabulary.decode(tokens[...last].map(Int.init)), try vocabulary.decode(asked),
            tokens.count - last - 1
        )
    }

    @Test func onlyAnswersAreAskedFor() throws {
        let path = try file(
            "t.jsonl", #"{"instruction": "Say it.", "input": "x {instruction}", "output": "hello", "id": 3}"#,
            "",
            #"{"instruction": "Say it.", "input": "", "output": "hello hello"}"# + "\r",
            #"{"prompt": "Q: ", "completion": "A"}"#,
            #"{"messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "U"}, "#
                + #"{"role": "assistant", "content": "A"}, {"role": "user", "content": "V"}, "#
                + #"{"role": "assistant", "content": "hello"}, {"role": "user", "content": "W"}]}"#)
        let data = try load(path, length: 300)
        #expect(data.train.count == 4 && data.warnings.isEmpty && data.vocabulary?.endOfText == 261)
        let end = "<|endoftext|>"
        let expected = [
            (
                "### Instruction:\nSay it.\n\n### Input:\nx {instruction}\n\n### Response:\nhello",
                "hello" + end
            ),
            ("### Instruction:\nSay it.\n\n### Response:\nhello hello", "hello hello" + end),
            ("Q: A", "A" + end),
            (
                "### system:\nS\n\n### user:\nU\n\n### assistant:\nA\(end)\n\n### user:\nV\n\n### assistant:\nhello",
                "A\(end)hello\(end)"
            ),
        ]
        for (row, (inputs, asked)) in expected.enumerated() {
            let found = try read(data, row)
            #expect(found.inputs == inputs && found.asked == asked && found.padded < 8, "\(found)")
        }
        var template = InstructionTemplate()
        template.instruction = "{input}{instruction}:"
        #expect(try read(load(path, length: 300, template: template), 1).inputs == "Say it.:hello hello")
    }

    @Test func aBatchIsAsLongAsItsLongest() throws {
        let path = try file(
            "t.jsonl", #"{"prompt": "abc", "completion": "d"}"#,
            #"{"prompt": "abcdefghijkl", "completion": "m"}"#)
        let data = try load(path, length: 14)
        #expect(data.train.exampleSize == 14)
        #expect(data.train.length(of: [0]) == 8 && data.train.length(of: [0, 1]) == 14)
        var (tokens, targets) = ([Int64](repeating: -7, count: 28), [Int64](repeating: -7, count: 28))
        tokens.withUnsafeMutableBufferPointer { tokens in
            targets.withUnsafeMutableBufferPointer { targets in
                data.train.copyTokens([0, 1], into: tokens, targets: targets)
            }
        }
        let none = TargetKind.ignored
        #expect(tokens[..<14] == [97, 98, 99, 100, 261, 261, 261, 261, 261, 261, 261, 261, 261, 261])
        #expect(targets[..<5] == [none, none, 100, 261, none] && targets[5..<14].allSatisfy { $0 == none })
        #expect(tokens[14..<27] == [97, 98, 99, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109])
        #expect(targets[25...] == [109, 261, none])
    }

    @Test func tooLongExamplesAreCounted() throws {
        // 5, 14 and 2 inputs; cut to 4 inputs, the second has nothing of its answer left.
        let path = try file(
            "t.jsonl", #"{"prompt": "abc", "completion": "de"}"#,
            #"{"prompt": "abcdefghijkl", "completion": "mn"}"#, #"{"prompt": "a", "completion": "b"}"#)
        let skipped = try load(path, length: 4)
        #expect(skipped.train.count == 1)
        #expect(
            skipped.warnings.first?.contains("2 of 3 examples have more than 4 tokens and are left out")
                == true)
        let cut = try load(path, length: 4, tooLong: .cut)
        #expect(cut.train.count == 2 && cut.warnings.count == 4)
        #expect(cut.warnings[0].contains("1 of 3") && cut.warnings[0].hasSuffix("are cut"))
        #expect(cut.warnings[1].contains("1 of 3") && cut.warnings[1].hasSuffix("are left out"))
        #expect(try read(cut, 0).asked == "de")
        let error = #expect(throws: DatasetError.self) { try load(path, length: 1) }
        #expect(error?.message.contains("all 3 examples have more than 1 tokens") == true)
    }

    @Test func partsAreDrawnOnce() throws {
        let lines = (0..<20).map { #"{"prompt": "\#($0):", "completion": "x"}"# }.joined(separator: "\n")
        let path = try file("t.jsonl", lines)
        let data = try InstructionData(train: path, testFraction: 0.25, tokenizer: tokenizer)
            .load(from: DataLocations())
        #expect(data.train.count == 15 && data.test.count == 5)
        let texts = try (0..<15).map { try read(data, $0).inputs }
        #expect(Set(texts).count == 15)
        let carved = try data.carvingValidation(count: 3)
        #expect(carved.train.count == 12 && carved.vocabulary?.count == 262)
        #expect(carved.train.targetCount(of: ArraySlice(0..<12)) == 24)
        let error = #expect(throws: DatasetError.self) {
            try InstructionData(train: path, testFraction: 0.01, tokenizer: tokenizer).load(
                from: DataLocations())
        }
        #expect(error?.message.contains("of 20 examples for testing is 0") == true)
    }

    @Test func badLinesAreNamed() throws {
        let good = #"{"prompt": "a", "completion": "b"}"#
        for (line, words) in [
            ("{", "not valid JSON at byte 1"), ("[1]", "it is not a JSON object"), ("{}", "no instruction"),
            (#"{"prompt": "a", "completion": "b"} x"#, "text after the value"),
            (#"{"prompt": "a", "prompt": "b"}"#, "the key 'prompt' is given twice"),
            (#"{"prompt": "a"}"#, "the key 'completion' is missing"),
            (#"{"prompt": "a", "completion": ""}"#, "'completion' is empty"),
            (#"{"prompt": 3, "completion": "b"}"#, "'prompt' is 3; allowed: a text"),
            (#"{"prompt": "a", "instruction": "b"}"#, "both instruction and prompt"),
            (#"{"instruction": "a", "input": [], "output": "b"}"#, "'input' is an array"),
            (#"{"instruction": "a", "output": null}"#, "'output' is null"),
            (#"{"messages": {}}"#, "'messages' is an object"),
            (#"{"messages": []}"#, "no message has the role 'assistant'"),
            (#"{"messages": ["a"]}"#, "messages[0] is 'a'"),
            (#"{"messages": [{"role": "tool", "content": "a"}]}"#, "the role 'tool'"),
            (#"{"messages": [{"role": "assistant", "content": ""}]}"#, "messages[0] is an empty answer"),
            (#"{"messages": [{"role": "assistant"}]}"#, "the key 'content' is missing"),
        ] {
            let path = try file("bad.jsonl", good, "", line, good)
            let error = #expect(throws: DatasetError.self) { try load(path) }
            let said = error?.message ?? ""
            #expect(said.contains("bad.jsonl, line 3: ") && said.contains(words), "\(said)")
        }
        let empty = try file("empty.jsonl", "", "  ")
        #expect(throws: DatasetError.self) { try load(empty) }
        try TinyTokenizer.write(to: directory.file("tokenizer.json")) { _, file in
            file["added_tokens"] = [[String: Any]]()
        }
        let path = try file("good.jsonl", good)
        let error = #expect(throws: DatasetError.self) { try load(path) }
        #expect(error?.message.contains("no token ends a text") == true)
    }

    @Test func damagedFilesNeverCrash() throws {
        let whole = Data(
            [
                #"{"instruction": "Say.", "input": "x\n\u00e9\ud83d\ude42", "output": "hello"}"#,
                #"{"prompt": "Q: ", "completion": "A"}"#,
                #"{"messages": [{"role": "user", "content": "U"}, {"role": "assistant", "content": "A"}]}"#,
            ].joined(separator: "\n").utf8)
        let path = directory.file("fuzz.jsonl")
        let words = [
            "\n", "\r\n", "{", "[", "\"", "\\u", "\\ud83d", "null", "\"messages\"", "\"role\": ", "assistant",
        ]
        let fault = fuzz([whole], tokens: words, rounds: 4000) { data in
            try data.write(to: path)
            let read = try load(path.path)
            #expect(read.train.count <= 60 && read.train.length(of: [0]) <= 64)
        } allows: {
            ($0 as? DatasetError)?.message.contains("fuzz.jsonl") == true
        }
        #expect(fault == nil)
    }
}
