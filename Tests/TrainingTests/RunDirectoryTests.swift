import Foundation
import Safetensors
import TestSupport
import Testing
import Training

@Suite struct RunDirectoryTests {
    @Test func takesTheNextFreeName() throws {
        let directory = try TemporaryDirectory()
        let wanted = directory.file("runs/a")
        let names = try (0..<3).map { _ in
            try RunDirectory.create(at: wanted, config: "x").url.lastPathComponent
        }
        #expect(names == ["a", "a-2", "a-3"])
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: directory.file("runs").path).sorted() == names
        )
    }

    /// Many at once: every one gets a directory of its own.
    @Test func concurrentRunsNeverShareAName() async throws {
        let directory = try TemporaryDirectory()
        let wanted = directory.file("a")
        let paths = try await withThrowingTaskGroup(of: String.self) { group in
            for number in 0..<16 {
                group.addTask { try RunDirectory.create(at: wanted, config: "\(number)").url.path }
            }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(paths.count == 16)
        let configs = try paths.map { try String(contentsOfFile: $0 + "/config.yaml", encoding: .utf8) }
        #expect(Set(configs) == Set((0..<16).map(String.init)))
    }

    @Test func oneProcessAtATime() throws {
        let directory = try TemporaryDirectory()
        let url = try RunDirectory.create(at: directory.file("a"), config: "x").url
        let first = try RunDirectory.open(url)
        #expect(throws: FileError.self) { try RunDirectory.open(first.url) }
    }

    @Test func whatIsNoRunIsNotOpened() throws {
        let directory = try TemporaryDirectory()
        do {
            _ = try RunDirectory.open(directory.url)
            Issue.record("opened a directory that is no run")
        } catch let error as FileError {
            #expect(error.reason == .missing && error.message.contains("config.yaml"))
        }
    }
}
