import Foundation
import Safetensors

extension RunDirectory {
    /// What the scratch names of runs that are being removed begin with.
    private static let removedPrefix = ".peo-removed-"

    /// Whether a directory is a run, or what is left of one of which parts are gone.
    ///
    /// A `config.yaml` and a folder `checkpoints` prove nothing: other people's projects have those too.
    public static func isRun(_ url: URL) -> Bool {
        func has(_ name: String) -> Bool {
            FileManager.default.fileExists(atPath: url.appendingPathComponent(name).path)
        }
        let own = ["config.yaml", "run.json", "metrics.jsonl", "result.json", "checkpoints"]
        return has(".lock") && own.contains(where: has)
            || (try? RunInformation(contentsOf: url.appendingPathComponent("run.json"))) != nil
    }

    /// Whether a process works on the run at `url` right now.
    public static func isInUse(_ url: URL) -> Bool { DirectoryLock.isHeld(in: url) }

    /// Removes a run with everything in it. Links in it are removed, what they point to is not.
    ///
    /// It loses its name at once, so that a removal that is killed leaves no half of a run under it; what is then left is
    /// removed by the next call in the same folder.
    ///
    /// - Throws: `FileError`: it is a link, no run, or in use; or what the system says.
    public static func remove(_ url: URL) throws {
        var status = stat()
        guard lstat(url.path, &status) == 0 else {
            throw FileError(path: url.path, operation: .remove, errorNumber: errno)
        }
        guard status.st_mode & S_IFMT != S_IFLNK else {
            throw FileError(
                path: url.path, operation: .remove, reason: .notAFile,
                detail: "it is a link; name the run that it points to")
        }
        guard isRun(url) else {
            throw FileError(
                path: url.path, operation: .remove, reason: .notAFile,
                detail: "it is no run (a run has a config.yaml and a run.json)")
        }
        let lock = try DirectoryLock(url, work: "this run")
        let parent = url.deletingLastPathComponent()
        let scratch = parent.appendingPathComponent("\(removedPrefix)\(UInt64.random(in: .min ... .max))")
        guard rename(url.path, scratch.path) == 0 else {
            throw FileError(path: url.path, operation: .remove, errorNumber: errno)
        }
        do {
            try FileManager.default.removeItem(at: scratch)
        } catch {
            throw FileError(
                path: url.path, operation: .remove, reason: .permission,
                detail: "what is left of it is in \(scratch.path): \(error.localizedDescription)")
        }
        withExtendedLifetime(lock) {}
        removeAbandoned(in: parent)
    }

    /// Removes what killed removals left in a folder of runs.
    private static func removeAbandoned(in folder: URL) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        for name in names where name.hasPrefix(removedPrefix) {
            let left = folder.appendingPathComponent(name)
            // A removal that is at work holds the lock.
            if !isInUse(left) { try? FileManager.default.removeItem(at: left) }
        }
    }
}
