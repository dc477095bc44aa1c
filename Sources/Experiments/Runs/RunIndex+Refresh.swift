import Datasets
import Foundation
import Safetensors
import Training

extension RunIndex {
    /// How long `peo runs` waits for other processes, in seconds.
    private static let patience = 10.0

    /// Opens the index of a folder and brings it up to date, whatever state it is in.
    ///
    /// A damaged index is put aside as `index.sqlite.damaged` and made anew; where none can be kept, on a read-only disk for
    /// example, one in memory does.
    ///
    /// - Parameter told: what a user should know.
    /// - Throws: `FileError` if the runs' own folder cannot be read.
    public static func upToDate(
        folder: URL = standardFolder, told: (String) -> Void
    ) throws -> RunIndex {
        // Listing makes no folder where there are no runs.
        guard FileManager.default.fileExists(atPath: folder.path) else {
            return try RunIndex(inMemoryFor: folder)
        }
        do {
            let index = try RunIndex(folder: folder, patience: patience)
            try index.check()
            try index.refresh()
            return index
        } catch let error as FileError where error.path == file(in: folder).relativePath {
            if error.reason == .notAFile {
                told("\(error.path) is damaged; made anew from the runs")
                if let index = try? rebuilt(folder: folder) { return index }
            } else {
                told("\(error.message); reading the runs without it")
            }
            let index = try RunIndex(inMemoryFor: folder)
            try index.refresh()
            return index
        }
    }

    /// Makes the index anew: from the runs below the folder, from those elsewhere that the old index still knew, and from
    /// `further` folders.
    ///
    /// Runs that are gone are forgotten.
    /// - Throws: `FileError`.
    public static func rebuilt(folder: URL = standardFolder, further: [URL] = []) throws -> RunIndex {
        try make(folder)
        // Two at once would put each other's new index aside.
        let lock = try FileLock(path: folder.appendingPathComponent(".index.lock").path)
        defer { lock.release() }
        let file = file(in: folder)
        var known: [String] = []
        do {
            let old = try RunIndex(folder: folder, patience: patience)
            try old.check()
            known = try old.records().map(\.run)
            try old.forget(known)
        } catch let error as FileError where error.reason == .notAFile {
            try putAside(file)
        }
        let index = try RunIndex(folder: folder, patience: patience)
        let found = further.flatMap { Self.runs(below: $0).map { index.key(of: $0) } }
        try index.refresh(also: (known + found).filter { RunRecord.stamp(of: index.url(of: $0)) != nil })
        return index
    }

    /// Renames a damaged index; what belongs to it goes.
    private static func putAside(_ file: URL) throws {
        for name in ["-wal", "-shm"] { unlink(file.path + name) }
        guard rename(file.path, file.path + ".damaged") == 0 || errno == ENOENT else {
            throw FileError(path: file.relativePath, operation: .rename, errorNumber: errno)
        }
    }

    /// Reads again what has changed since it was last read: runs at work, runs whose files are newer, runs below the folder
    /// that the index does not know. A run whose directory is gone stays, as `missing`.
    ///
    /// - Parameter further: runs elsewhere, as the index calls them.
    /// - Throws: `FileError`.
    func refresh(also further: [String] = []) throws {
        let known = Dictionary(uniqueKeysWithValues: try records().map { ($0.run, $0) })
        let found = Set(Self.runs(below: folder).map(key)).union(further).union(known.keys)
        let changed = found.compactMap { run -> RunRecord? in
            let old = known[run]
            guard let stamp = RunRecord.stamp(of: url(of: run)) else {
                guard var gone = old, gone.status != .missing else { return nil }
                gone.status = .missing
                gone.message = "its directory is gone"
                gone.stamp = ""
                return gone
            }
            if let old, old.stamp == stamp, old.status != .running { return nil }
            return RunRecord(of: url(of: run), run: run)
        }
        if !changed.isEmpty { try write(changed) }
    }

    /// How deep below a folder runs are looked for.
    private static let depth = 6

    /// The run directories below a folder. Links are not followed; runs that were to be left out, such as the cells of
    /// comparisons and searches, are.
    static func runs(below folder: URL, depth: Int = depth) -> [URL] {
        guard depth > 0,
            let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path),
            !StudyDirectory.Kind.allCases.contains(where: { names.contains($0.fileName) })
        else { return [] }
        return names.filter { !$0.hasPrefix(".") }.flatMap { name -> [URL] in
            let place = folder.appendingPathComponent(name)
            var status = stat()
            guard lstat(place.path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return [] }
            guard RunDirectory.isRun(place) else { return runs(below: place, depth: depth - 1) }
            return isLeftOut(place) ? [] : [place]
        }
    }

    /// Whether the process that worked on a run last was told to leave it out.
    private static func isLeftOut(_ run: URL) -> Bool {
        let facts = try? RunInformation(contentsOf: run.appendingPathComponent("run.json"))
        return facts?.command.contains("--no-index") ?? false
    }
}
