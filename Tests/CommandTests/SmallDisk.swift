import Foundation
import TestSupport

/// A small file system in memory, mounted in a directory of its own.
final class SmallDisk {
    let directory: TemporaryDirectory
    var mountPoint: URL { directory.file("disk") }

    /// Whether this user may mount one.
    static let canMount: Bool = {
        guard geteuid() == 0 else { return false }
        return (try? SmallDisk(options: "size=64k")) != nil
    }()

    /// Nil where this user may not.
    init?(options: String) throws {
        directory = try TemporaryDirectory()
        try FileManager.default.createDirectory(
            at: directory.file("disk"), withIntermediateDirectories: true)
        guard Self.command("mount", "-t", "tmpfs", "-o", options, "tmpfs", directory.file("disk").path)
        else { return nil }
    }

    func remount(_ options: String) -> Bool {
        Self.command("mount", "-o", "remount,\(options)", mountPoint.path)
    }

    deinit { _ = Self.command("umount", "-l", mountPoint.path) }

    private static func command(_ arguments: String...) -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        do { try process.run() } catch { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}
