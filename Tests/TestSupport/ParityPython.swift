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
    ///
    /// - Parameter packages: a set of `scripts/python-packages` that the script imports, fetched where it is missing.
    /// - Throws: `Failure` where there is no such Python, or the script fails; it holds what the script said.
    package static func run(_ script: String, _ arguments: String..., with packages: String? = nil) throws
        -> String
    {
        try run(script, arguments, with: packages)
    }

    /// Runs a script and returns what it prints.
    package static func run(_ script: String, _ arguments: [String], with packages: String? = nil) throws
        -> String
    {
        let interpreter = root.appendingPathComponent(".python")
        guard FileManager.default.isExecutableFile(atPath: interpreter.path) else {
            throw Failure(
                description: "\(interpreter.path) is missing: run scripts/bootstrap (make test does)")
        }
        // A file: TorchScript compiles classes from their source.
        let directory = try TemporaryDirectory()
        try Data(script.utf8).write(to: directory.file("script.py"))
        guard let packages else {
            return try output(of: interpreter, [directory.file("script.py").path] + arguments)
        }
        let found = try self.packages(packages)
        // After torch's own packages: its numpy must be the one that is found.
        let start =
            "import runpy, sys; sys.path.append(sys.argv[1]); sys.argv = sys.argv[2:]; "
            + "runpy.run_path(sys.argv[0], run_name='__main__')"
        return try output(
            of: interpreter,
            ["-W", "ignore", "-c", start, found.path]
                + [directory.file("script.py").path] + arguments)
    }

    /// The folder of a set of `scripts/python-packages`, fetched where it is missing.
    package static func packages(_ set: String) throws -> URL {
        let found = try output(of: root.appendingPathComponent("scripts/python-packages"), [set])
        return URL(fileURLWithPath: found.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    private static func output(of program: URL, _ arguments: [String]) throws -> String {
        // Files, not pipes: a full pipe that nobody reads yet would stop the script.
        let directory = try TemporaryDirectory()
        let (output, errors) = (directory.file("output"), directory.file("errors"))
        for url in [output, errors] { try Data().write(to: url) }
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
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
                description:
                    "\(program.lastPathComponent) failed with \(process.terminationStatus):\n\(text)\n\(words)"
            )
        }
        return text
    }
}
