import Foundation

/// Runs scripts with the bootstrapped Python and Hugging Face's `transformers` and `tokenizers`, which `scripts/huggingface`
/// fetches.
package enum HuggingFacePython {
    private static let packages = Result {
        let directory = try TemporaryDirectory()
        let (output, errors) = (directory.file("output"), directory.file("errors"))
        for url in [output, errors] { try Data().write(to: url) }
        let process = Process()
        process.executableURL = ParityPython.root.appendingPathComponent("scripts/huggingface")
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        process.waitUntilExit()
        let text = String(decoding: try Data(contentsOf: output), as: UTF8.self)
        guard process.terminationStatus == 0 else {
            throw ParityPython.Failure(
                description:
                    "scripts/huggingface failed: \(String(decoding: try Data(contentsOf: errors), as: UTF8.self))"
            )
        }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Runs a script and returns what it prints.
    /// - Throws: `ParityPython.Failure` where the packages cannot be fetched, or the script fails.
    package static func run(_ script: String, _ arguments: String...) throws -> String {
        // Its own libraries come first: the packages must not shadow the torch that is bootstrapped.
        let prologue = """
            import os, sys, warnings
            sys.path.append(sys.argv.pop(1))
            os.environ["HF_HUB_OFFLINE"] = "1"
            warnings.filterwarnings("ignore")

            """
        return try ParityPython.run(prologue + script, [try packages.get()] + arguments)
    }
}
