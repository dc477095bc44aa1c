import Foundation

/// What went wrong with a Python script, with all that it said.
package struct PythonError: Error, CustomStringConvertible {
    package let description: String
}

/// The package's root: where `scripts/bootstrap` puts the links.
package let packageRoot = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

/// Runs a script under the bootstrapped Python, which has torch, numpy and safetensors.
///
/// - Parameters:
///   - script: the program; it reads JSON from the file `sys.argv[1]` and writes JSON to `sys.argv[2]`.
///   - input: what it reads.
///   - limit: after how many seconds it is ended.
/// - Throws: `PythonError`, with the script's output, if there is no such Python, or it fails or takes too long.
package func runPython<Input: Encodable, Output: Decodable>(
    script: String, input: Input, limit: Double = 300, as _: Output.Type = Output.self
) throws -> Output {
    let python = packageRoot.appendingPathComponent(".python")
    guard FileManager.default.isExecutableFile(atPath: python.path) else {
        throw PythonError(description: "no Python at \(python.path): run scripts/bootstrap")
    }
    let directory = try TemporaryDirectory()
    try Data(script.utf8).write(to: directory.file("script.py"))
    try JSONEncoder().encode(input).write(to: directory.file("input.json"))
    try Data().write(to: directory.file("log"))
    let log = try FileHandle(forWritingTo: directory.file("log"))
    let process = Process()
    process.executableURL = python
    process.arguments = ["script.py", "input.json", "output.json"].map { directory.file($0).path }
    process.standardOutput = log
    process.standardError = log
    process.environment = ProcessInfo.processInfo.environment.merging(["OMP_NUM_THREADS": "1"]) { $1 }
    try process.run()
    let start = Date()
    while process.isRunning && Date().timeIntervalSince(start) < limit { Thread.sleep(forTimeInterval: 0.02) }
    let said = { String(decoding: (try? Data(contentsOf: directory.file("log"))) ?? Data(), as: UTF8.self) }
    if process.isRunning {
        process.terminate()
        process.waitUntilExit()
        throw PythonError(description: "the script was ended after \(limit) seconds; it said:\n\(said())")
    }
    guard process.terminationStatus == 0 else {
        throw PythonError(
            description: "the script ended with \(process.terminationStatus) and said:\n\(said())")
    }
    return try JSONDecoder().decode(Output.self, from: Data(contentsOf: directory.file("output.json")))
}
