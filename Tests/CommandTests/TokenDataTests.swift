import Foundation
import TestSupport
import Testing

/// Texts and instructions by a tokenizer, as a user trains on them.
@Suite struct TokenDataTests {
    private static let network = """
        model: {gpt: {layers: 1, heads: 2, width: 16}}
        training: {steps: 6, batchSize: 4, seed: 3, threads: 1, checkpointEvery: {steps: 2}}
        rule: {adamW: {learningRate: 0.01}}

        """

    private static func files(_ directory: TemporaryDirectory) throws {
        let folder = directory.file("words")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        try TinyTokenizer.write(to: folder.appendingPathComponent("tokenizer.json"))
        let lines = (0..<30).map { number in
            #"{"instruction": "Say hello.", "input": "\#(number)", "output": "\#(String(repeating: "hello ", count: number % 5 + 1))"}"#
        }
        try Data(lines.joined(separator: "\n").utf8).write(to: directory.file("t.jsonl"))
        try Data(String(repeating: "hello hello, ", count: 60).utf8).write(to: directory.file("t.txt"))
    }

    @Test(arguments: [
        "data: {instructions: {train: t.jsonl, tokenizer: words, length: 80}}",
        "data: {text: {file: t.txt, length: 8, tokens: {tokenizer: words/tokenizer.json}}}",
        "data: {text: {file: t.txt, length: 8}}",
    ]) func aRunKeepsItsVocabulary(data: String) throws {
        let directory = try TemporaryDirectory()
        try Self.files(directory)
        let config = try PeoTool.config(Self.network + data, in: directory)
        let output = try PeoTool.run(["train", config, "--json"], in: directory)
        #expect(output.status == 0, "\(output.all)")
        let kept = directory.file("runs/test/tokenizer")
        let names = try FileManager.default.contentsOfDirectory(atPath: kept.path)
        #expect(names == [data.contains("words") ? "tokenizer.json" : "characters.json"])
        if data.contains("words") {
            let own = try Data(contentsOf: directory.file("words/tokenizer.json"))
            #expect(try Data(contentsOf: kept.appendingPathComponent("tokenizer.json")) == own)
        }
        // Its own configuration has the paths in full, and is the same experiment.
        let again = try PeoTool.run(
            ["train", "runs/test/config.yaml", "-o", "again", "--json"], in: directory)
        #expect(again.status == 0, "\(again.all)")
        let weights = try ["runs/test", "again"].map {
            try Data(contentsOf: directory.file("\($0)/model.safetensors"))
        }
        #expect(weights[0] == weights[1])
    }

    @Test func whatIsLeftOutIsSaid() throws {
        let directory = try TemporaryDirectory()
        try Self.files(directory)
        let config = try PeoTool.config(
            Self.network + "data: {instructions: {train: t.jsonl, tokenizer: words, length: 56}}",
            in: directory)
        let output = try PeoTool.run(["train", config], in: directory)
        #expect(output.status == 0, "\(output.all)")
        #expect(
            output.stderr.contains("of 30 examples have more than 56 tokens and are left out"),
            "\(output.all)")
    }

    @Test func badDataIsRefused() throws {
        let directory = try TemporaryDirectory()
        try Self.files(directory)
        try Data("{\"prompt\": \"a\", \"completion\": \"b\"}\n{\"prompt\": 1}\n".utf8).write(
            to: directory.file("bad.jsonl"))
        try Data("{}".utf8).write(to: directory.file("bad.json"))
        let cases: [(data: String, status: Int32, words: String)] = [
            ("instructions: {train: bad.jsonl, tokenizer: words}", 65, "bad.jsonl, line 2: 'prompt' is 1"),
            ("instructions: {train: none.jsonl, tokenizer: words}", 66, "none.jsonl"),
            ("instructions: {train: t.jsonl, tokenizer: none}", 66, "none"),
            ("instructions: {train: t.jsonl, tokenizer: bad.json}", 65, "bad.json: pre_tokenizer is missing"),
            ("instructions: {train: t.jsonl}", 65, "tokenizer"),
            ("instructions: {train: t.jsonl, tokenizer: words, length: 5}", 65, "all 30 examples"),
            ("instructions: {train: t.jsonl, tokenizer: words, tooLong: drop}", 65, "skip, cut"),
            (
                "instructions: {train: t.jsonl, tokenizer: words, template: {instruction: Do it.}}", 65,
                "has {instruction} 0 times; allowed: once"
            ),
            ("text: {file: t.txt, tokens: words}", 65, "allowed: characters, {tokenizer: path}"),
            ("text: {file: t.txt, tokens: {tokenizer: words, size: 3}}", 65, "size"),
            ("text: {file: t.txt, length: 300, tokens: {tokenizer: words}}", 65, "too few for one block"),
        ]
        for (data, status, words) in cases {
            let config = try PeoTool.config(Self.network + "data: {\(data)}", in: directory)
            let output = try PeoTool.run(["train", config], in: directory)
            #expect(output.status == status && output.stderr.contains(words), "\(data): \(output.all)")
            #expect(!FileManager.default.fileExists(atPath: directory.file("runs").path))
        }
    }
}
