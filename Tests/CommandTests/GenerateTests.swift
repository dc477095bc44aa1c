import Foundation
import TestSupport
import Testing

/// `peo generate`: texts from runs and from directories of GPT-2.
@Suite struct GenerateTests {
    private static func text(_ arguments: String..., in directory: TemporaryDirectory) throws
        -> PeoTool.Output
    {
        try PeoTool.run(["generate"] + arguments, in: directory)
    }

    /// A model that has learnt a text of one line by heart says it; draws are a function of the seed.
    @Test(arguments: ["{gpt: {layers: 1, heads: 2, width: 32}}", "{lstm: {width: 32, hidden: 64}}"])
    func aRunSaysWhatItLearnt(model: String) throws {
        let directory = try TemporaryDirectory()
        try Data(String(repeating: "the noise helps. ", count: 200).utf8).write(
            to: directory.file("book.txt"))
        let config = try PeoTool.config(
            """
            model: \(model)
            data: {text: {file: book.txt, length: 32}}
            training: {steps: 150, batchSize: 16, seed: 1, threads: 1, evaluateEvery: {steps: 150}}
            rule: {adam: {learningRate: 0.01}}
            """, in: directory)
        let trained = try PeoTool.run(["train", config], in: directory)
        #expect(trained.status == 0, "\(trained.all)")
        let greedy = try Self.text(
            "runs/test", "--prompt", "the noise", "--tokens", "60", "--temperature", "0", in: directory)
        #expect(
            greedy.stdout == String(repeating: "the noise helps. ", count: 5).prefix(69) + "\n",
            "\(greedy.all)")
        let drawn = try (1...3).map {
            try Self.text(
                "runs/test", "--prompt", "the", "--temperature", "5", "--seed", "\(min($0, 2))", "--json",
                in: directory
            ).json["text"] as? String
        }
        #expect(drawn[1] == drawn[2] && drawn[0] != drawn[1] && drawn[0]?.count == 200, "\(drawn)")

        let strange = try Self.text("runs/test", "--prompt", "the Ω", in: directory)
        #expect(strange.status == 65 && strange.stderr.contains("the character 'Ω'"), "\(strange.all)")
        let empty = try Self.text("runs/test", in: directory)
        #expect(empty.status == 65 && empty.stderr.contains("the prompt is empty"), "\(empty.all)")
    }

    /// The likeliest tokens are those of transformers' own generation.
    @Test func aDirectoryOfGPT2SaysWhatTransformersSays() throws {
        let directory = try TemporaryDirectory()
        try TinyGPT2.make(
            at: directory.file("gpt2"), "vocab_size=257",
            then: """
                import json
                from tokenizers import Tokenizer, decoders, models, pre_tokenizers
                letters = sorted(pre_tokenizers.ByteLevel.alphabet())
                words = {"<|endoftext|>": 0} | {letter: 1 + place for place, letter in enumerate(letters)}
                tokenizer = Tokenizer(models.BPE(vocab=words, merges=[]))
                tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
                tokenizer.decoder = decoders.ByteLevel()
                tokenizer.add_special_tokens(["<|endoftext|>"])
                tokenizer.save(folder + "/tokenizer.json")
                ids = tokenizer.encode("The noise").ids
                found = model.generate(torch.tensor([ids]), do_sample=False, max_new_tokens=7, pad_token_id=0)
                found = found[0, len(ids):].tolist()
                json.dump(found[:found.index(0)] if 0 in found else found, open(folder + "/expected", "w"))
                """)
        let expected = try JSONDecoder().decode(
            [Int].self, from: Data(contentsOf: directory.file("gpt2/expected")))
        #expect(!expected.isEmpty)
        let output = try Self.text(
            "gpt2", "--prompt", "The noise", "--tokens", "7", "--temperature", "0", "--json", in: directory)
        #expect(output.json["tokens"] as? [Int] == expected, "\(output.all)")
    }

    @Test func whatIsNoModelOfTextsIsNamed() throws {
        let directory = try TemporaryDirectory()
        let missing = try Self.text("nowhere", "--prompt", "a", in: directory)
        #expect(
            missing.status == 66 && missing.stderr.contains("no model of texts is there"), "\(missing.all)")
        let config = try PeoTool.config(PeoTool.smallConfig, in: directory)
        #expect(try PeoTool.run(["train", config], in: directory).status == 0)
        let digits = try Self.text("runs/test", "--prompt", "a", in: directory)
        #expect(digits.status == 65 && digits.stderr.contains("keeps no vocabulary"), "\(digits.all)")
        let wrong = try Self.text("runs/test", "--temperature=-1", in: directory)
        #expect(wrong.status == 64 && wrong.stderr.contains("--temperature is -1.0; allowed"), "\(wrong.all)")
    }
}
