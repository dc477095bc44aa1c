import ArgumentParser
import Experiments
import Foundation
import Models

/// `peo generate`
struct Generate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Go on with a text by a trained model of texts.",
        discussion: """
            Examples:
              peo generate runs/char-gpt --prompt "ROMEO:" --tokens 300 --temperature 0.8 --top-k 40
              peo generate gpt2 --prompt "The noise" --temperature 0

            The model is a run on texts (gpt, gpt2, lstm, gru), or a directory of GPT-2 as Hugging Face publishes it. The same
            seed gives the same text.
            """)

    @Argument(help: "A run, or a directory of GPT-2.", completion: .directory)
    var model: String

    @Option(help: "What the text begins with.")
    var prompt = ""

    @Option(help: "How many tokens at most.")
    var tokens = 200

    @Option(help: "Divides the scores before the draw; 0: always the likeliest token.")
    var temperature = 1.0

    @Option(name: .customLong("top-k"), help: "Draw from the k likeliest tokens; 0: from all.")
    var topK = 0

    @Option(help: "Of the draws.")
    var seed: UInt64 = 1

    @Flag(name: .long, help: "Print one JSON object: prompt, text, tokens.")
    var json = false

    func validate() throws {
        try require("--tokens", tokens, in: 1...1_000_000)
        try require(temperature >= 0 && temperature.isFinite, "--temperature", temperature, "0 or more")
        try require("--top-k", topK, in: 0 ... .max)
    }

    func run() throws {
        let found = try TextModel(contentsOf: URL(fileURLWithPath: model)).generate(
            after: prompt, count: tokens,
            sampler: TokenSampler(temperature: temperature, topK: topK, seed: seed))
        try json ? Output.writeJSON(found) : Output.write(found.prompt + found.text)
    }
}
