import Foundation
import TestSupport
import Testing

/// Another Swift package can depend on this one, by path and by version, and the README's library example
/// builds and runs in it. A failure means that a user who follows the README is stuck at once.
@Suite(.serialized) struct ConsumerPackageTests {
    struct CommandError: Error, CustomStringConvertible { let description: String }

    /// Runs a command with all its output in a file, which a failure quotes.
    static func run(_ arguments: [String], in directory: URL, log: URL, limit: Double = 400) throws -> String
    {
        try Data().write(to: log)
        let output = try FileHandle(forWritingTo: log)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        process.currentDirectoryURL = directory
        process.standardOutput = output
        process.standardError = output
        // What the user of a library would not have set.
        process.environment = ProcessInfo.processInfo.environment.filter { $0.key != "PEO_CORE_ONLY" }
        try process.run()
        let start = Date()
        while process.isRunning && Date().timeIntervalSince(start) < limit {
            Thread.sleep(forTimeInterval: 0.05)
        }
        let isLate = process.isRunning
        if isLate { process.terminate() }
        process.waitUntilExit()
        let text = String(decoding: try Data(contentsOf: log), as: UTF8.self)
        guard !isLate && process.terminationStatus == 0 else {
            let end = isLate ? "took more than \(limit) seconds" : "ended with \(process.terminationStatus)"
            throw CommandError(description: "\(arguments.joined(separator: " ")) \(end):\n\(text)")
        }
        return text
    }

    /// The first Swift block under "Use it as a library".
    static func example() throws -> String {
        let readme = try String(contentsOf: packageRoot.appendingPathComponent("README.md"), encoding: .utf8)
        let section = try #require(
            readme.components(separatedBy: "## Use it as a library\n").dropFirst().first)
        let block = try #require(section.components(separatedBy: "```swift\n").dropFirst().first)
        return try #require(block.components(separatedBy: "```").first)
    }

    /// A copy of the working tree as a repository with the tag 0.1.0.
    static func repository(in directory: TemporaryDirectory, log: URL) throws -> URL {
        let copy = directory.file("PEO")
        let files = try run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"], in: packageRoot, log: log)
        for file in files.split(separator: "\n").map(String.init) {
            let from = packageRoot.appendingPathComponent(file)
            // A file that was deleted and not yet committed is still listed.
            guard FileManager.default.fileExists(atPath: from.path) else { continue }
            let to = copy.appendingPathComponent(file)
            try FileManager.default.createDirectory(
                at: to.deletingLastPathComponent(), withIntermediateDirectories: true)
            try FileManager.default.copyItem(at: from, to: to)
        }
        _ = try run(["git", "init", "-q"], in: copy, log: log)
        _ = try run(["git", "add", "-A"], in: copy, log: log)
        _ = try run(
            ["git", "-c", "user.name=Test", "-c", "user.email=test@example.org", "commit", "-qm", "Copy"],
            in: copy, log: log)
        _ = try run(["git", "tag", "0.1.0"], in: copy, log: log)
        return copy
    }

    @Test(.timeLimit(.minutes(10)), arguments: ["path", "version"])
    func theReadmeExampleRuns(by kind: String) throws {
        let directory = try TemporaryDirectory()
        let log = directory.file("log")
        let repository = try Self.repository(in: directory, log: log)
        let dependency =
            kind == "path"
            ? "path: \"\(repository.path)\"" : "url: \"\(repository.absoluteString)\", from: \"0.1.0\""
        let sources = directory.file("Consumer/Sources/Consumer")
        try FileManager.default.createDirectory(at: sources, withIntermediateDirectories: true)
        try Data(Self.example().utf8).write(to: sources.appendingPathComponent("main.swift"))
        let manifest = """
            // swift-tools-version: 6.2
            import PackageDescription
            let package = Package(
                name: "Consumer",
                dependencies: [.package(\(dependency))],
                targets: [
                    .executableTarget(
                        name: "Consumer",
                        dependencies: [.product(name: "PerturbedEquations", package: "PEO")])
                ])
            """
        try Data(manifest.utf8).write(to: directory.file("Consumer/Package.swift"))
        let consumer = directory.file("Consumer")
        let command = ["swift", "run", "-c", "release", "Consumer"]
        let output = try Self.run(command, in: consumer, log: log)
        let line = try #require(output.split(separator: "\n").last { $0.hasPrefix("slope ") }, "\(output)")
        let numbers = line.split(whereSeparator: { " ,".contains($0) }).compactMap { Double($0) }
        #expect(numbers.count == 2 && abs(numbers[0] - 2) < 0.1 && abs(numbers[1] + 1) < 0.1, "\(line)")
    }
}
