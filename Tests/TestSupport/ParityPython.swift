import Foundation

/// Runs scripts with the Python that `scripts/bootstrap` links as `.python`, which has torch, numpy and
/// safetensors.
package enum ParityPython {
    /// The checkout's root.
    package static var root: URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
    }

    /// Why a script gave no result.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// Runs a script and returns what it prints.
    /// - Throws: `Failure` where there is no such Python, or the script fails; it holds what the script said.
    package static func run(_ script: String, _ arguments: String...) throws -> String {
        try run(script, arguments)
    }

    /// Runs a script and returns what it prints.
    package static func run(_ script: String, _ arguments: [String]) throws -> String {
        let interpreter = root.appendingPathComponent(".python")
        guard FileManager.default.isExecutableFile(atPath: interpreter.path) else {
            throw Failure(
                description: "\(interpreter.path) is missing: run scripts/bootstrap (make test does)")
        }
        // Files, not pipes: a full pipe that nobody reads yet would stop the script.
        let directory = try TemporaryDirectory()
        let (output, errors) = (directory.file("output"), directory.file("errors"))
        for url in [output, errors] { try Data().write(to: url) }
        let process = Process()
        process.executableURL = interpreter
        // A file: TorchScript compiles classes from their source.
        try Data(script.utf8).write(to: directory.file("script.py"))
        process.arguments = [directory.file("script.py").path] + arguments
        // One thread: the test process beside it uses the cores already.
        process.environment = ProcessInfo.processInfo.environment.merging(["OMP_NUM_THREADS": "1"]) { $1 }
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        process.waitUntilExit()
        let text = String(decoding: try Data(contentsOf: output), as: UTF8.self)
        guard process.terminationStatus == 0 else {
            let words = String(decoding: try Data(contentsOf: errors), as: UTF8.self)
            throw Failure(
                description: "the script failed with \(process.terminationStatus):\n\(text)\n\(words)")
        }
        return text
    }
}
