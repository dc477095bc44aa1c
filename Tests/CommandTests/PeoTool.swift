import Foundation
import TestSupport

/// The built `peo`, run as a user would.
struct PeoTool {
    /// What a run of the tool gave.
    struct Output {
        var status: Int32
        /// Whether a signal ended the process: a crash, or a kill by the test.
        var wasSignalled: Bool
        var stdout: String
        var stderr: String

        /// Everything that it said, for a test's failure message.
        var all: String { "exit \(status)\(wasSignalled ? " (signal)" : "")\n\(stdout)\n\(stderr)" }

        /// Standard output as JSON.
        var json: [String: Any] {
            (try? JSONSerialization.jsonObject(with: Data(stdout.utf8))) as? [String: Any] ?? [:]
        }
    }

    /// `peo` beside the test bundle.
    static let executable: URL = {
        let tests = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        let tool = tests.deletingLastPathComponent().appendingPathComponent("peo")
        precondition(
            FileManager.default.isExecutableFile(atPath: tool.path),
            "\(tool.path) is not built: swift build --product peo")
        return tool
    }()

    /// The repository's root.
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Starts the tool.
    ///
    /// - Parameters:
    ///   - directory: where it runs.
    ///   - stdout, stderr: files for its output.
    static func start(
        _ arguments: [String], in directory: TemporaryDirectory, environment: [String: String] = [:],
        stdout: URL, stderr: URL
    ) throws -> Process {
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.currentDirectoryURL = directory.url
        var all = ProcessInfo.processInfo.environment
        all["PEO_DATA"] = nil
        all["PEO_RUNS"] = nil
        all["XDG_CACHE_HOME"] = directory.file("cache").path
        // Tests run side by side on few cores: threads that wait for work by spinning would starve the others.
        all["OMP_WAIT_POLICY"] = "PASSIVE"
        all.merge(environment) { $1 }
        process.environment = all
        process.standardInput = FileHandle.nullDevice
        for url in [stdout, stderr] { try Data().write(to: url) }
        process.standardOutput = try FileHandle(forWritingTo: stdout)
        process.standardError = try FileHandle(forWritingTo: stderr)
        try process.run()
        return process
    }

    /// Runs the tool to its end, or kills it when `kill` says so.
    /// - Parameter interrupt: called while the tool runs, for example to send it a signal.
    @discardableResult
    static func run(
        _ arguments: [String], in directory: TemporaryDirectory, environment: [String: String] = [:],
        while interrupt: (Process) throws -> Void = { _ in }
    ) throws -> Output {
        let name = "output-\(UInt64.random(in: .min ... .max))"
        let (stdout, stderr) = (directory.file("\(name).out"), directory.file("\(name).err"))
        defer { for url in [stdout, stderr] { try? FileManager.default.removeItem(at: url) } }
        let process = try start(
            arguments, in: directory, environment: environment, stdout: stdout, stderr: stderr)
        try interrupt(process)
        process.waitUntilExit()
        return Output(
            status: process.terminationStatus, wasSignalled: process.terminationReason == .uncaughtSignal,
            stdout: try String(contentsOf: stdout, encoding: .utf8),
            stderr: try String(contentsOf: stderr, encoding: .utf8))
    }

    /// Writes a configuration and returns its path.
    static func config(_ yaml: String, in directory: TemporaryDirectory, name: String = "test.yaml") throws
        -> String
    {
        try Data(yaml.utf8).write(to: directory.file(name))
        return name
    }

    /// A quick run on the digits.
    static let smallConfig = """
        model: {mlp: {hidden: [16]}}
        data: digits
        training: {steps: 40, batchSize: 32, seed: 3, threads: 1, checkpointEvery: {steps: 10}}
        rule: {momentum: {learningRate: 0.05, momentum: 0.9}}
        perturbation:
          - gaussian: {sigma: 0.01}
        """
}

/// The contents of every file below a directory, to see that nothing has changed.
func contents(below directory: URL) throws -> [String: Data] {
    var result: [String: Data] = [:]
    let names = FileManager.default.enumerator(atPath: directory.path)
    while let name = names?.nextObject() as? String {
        let url = directory.appendingPathComponent(name)
        var isDirectory: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory)
        if !isDirectory.boolValue { result[name] = try Data(contentsOf: url) }
    }
    return result
}
