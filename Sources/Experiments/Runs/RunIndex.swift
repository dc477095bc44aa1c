import Foundation
import GRDB
import Safetensors

/// The index of runs: a SQLite database beside the runs of a folder, from which they are listed, filtered and sorted.
///
/// The truth is in the run directories; the index only remembers what they said. So it may be deleted, it is made anew where
/// it is damaged, and what changed since is read again (``refresh()``). Its table `run` can be read with any SQLite tool.
///
/// Several processes may use one index at once: SQLite's write-ahead log lets readers go on beside a writer, and writers wait
/// for each other.
public final class RunIndex {
    /// The folder whose runs are indexed. Runs elsewhere are indexed too, once they were entered.
    public let folder: URL
    let database: DatabaseQueue

    /// The version of the table; another one is made anew.
    private static let version = 1

    /// The folder of runs that a user works with: `PEO_RUNS`, or `runs`.
    public static var standardFolder: URL {
        let given = ProcessInfo.processInfo.environment["PEO_RUNS"] ?? ""
        return URL(fileURLWithPath: given.isEmpty ? "runs" : given)
    }

    /// The index's file in a folder of runs.
    static func file(in folder: URL) -> URL { folder.appendingPathComponent("index.sqlite") }

    /// Opens the index of a folder, or makes it, and the folder.
    ///
    /// - Parameter patience: how many seconds to wait for other processes.
    /// - Throws: `FileError`: not allowed, a full disk, a damaged file, another process that is busy for longer.
    init(folder: URL, patience: Double) throws {
        self.folder = folder
        let file = Self.file(in: folder)
        try Self.make(folder)
        var configuration = Configuration()
        configuration.journalMode = .wal
        configuration.busyMode = .timeout(patience)
        database = try Self.naming(file) {
            let database = try DatabaseQueue(path: file.path, configuration: configuration)
            try database.write(Self.prepare)
            return database
        }
    }

    /// Makes a folder of runs where there is none.
    static func make(_ folder: URL) throws {
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw FileError(
                path: folder.relativePath, operation: .create, reason: .permission,
                detail: "the folder of runs cannot be made")
        }
    }

    /// An index in memory, for a folder in which none can be kept.
    init(inMemoryFor folder: URL) throws {
        self.folder = folder
        database = try Self.naming(Self.file(in: folder)) {
            let database = try DatabaseQueue()
            try database.write(Self.prepare)
            return database
        }
    }

    private static func prepare(_ db: Database) throws {
        guard try Int.fetchOne(db, sql: "PRAGMA user_version") != version else { return }
        if try db.tableExists(RunRecord.databaseTableName) { try db.drop(table: RunRecord.databaseTableName) }
        try RunRecord.createTable(db)
        try db.execute(sql: "PRAGMA user_version = \(version)")
    }

    /// Writes what is known of runs.
    func write(_ records: [RunRecord]) throws {
        try Self.naming(Self.file(in: folder)) {
            try database.write { db in for record in records { try record.insert(db) } }
        }
    }

    /// Forgets a run.
    public func forget(_ run: String) throws { try forget([run]) }

    func forget(_ runs: [String]) throws {
        try Self.naming(Self.file(in: folder)) {
            try database.write { db in _ = try RunRecord.deleteAll(db, keys: runs) }
        }
    }

    /// What the index says, as it is.
    public func records() throws -> [RunRecord] {
        try Self.naming(Self.file(in: folder)) { try database.read(RunRecord.fetchAll) }
    }

    /// Whether SQLite finds the file whole.
    func check() throws {
        let words = try Self.naming(Self.file(in: folder)) {
            try database.read { try String.fetchOne($0, sql: "PRAGMA quick_check(1)") }
        }
        guard words == "ok" else { throw Self.damage(Self.file(in: folder), words ?? "it cannot be checked") }
    }

    /// Calls `body`; an error of the database becomes one that names the file.
    private static func naming<Result>(_ file: URL, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as DatabaseError {
            let words = error.message ?? "\(error.resultCode)"
            switch error.resultCode {
            // The memory that readers and writers share is made by a call whose failure SQLite does not explain.
            case .SQLITE_FULL,
                .SQLITE_IOERR where isFull(file):
                throw FileError(
                    path: file.relativePath, operation: .write, reason: .full,
                    detail: "no space for the index (\(words))")
            case .SQLITE_BUSY, .SQLITE_LOCKED:
                throw FileError(path: file.relativePath, operation: .lock, reason: .inUse, detail: words)
            case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
                throw FileError(
                    path: file.relativePath, operation: .create, reason: .permission, detail: words)
            // Another program's table of that name has other columns.
            case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_ERROR, .SQLITE_MISMATCH, .SQLITE_CONSTRAINT:
                throw damage(file, words)
            default:
                throw FileError(path: file.relativePath, operation: .write, reason: .other, detail: words)
            }
        } catch is RunRecord.Damage {
            throw damage(file, "its table has other columns")
        }
    }

    /// Whether the disk of a file has no room for even an empty index.
    private static func isFull(_ file: URL) -> Bool {
        var status = statvfs()
        guard statvfs(file.deletingLastPathComponent().path, &status) == 0 else { return false }
        return UInt64(status.f_bavail) * UInt64(status.f_frsize) < 1 << 16
    }

    static func damage(_ file: URL, _ words: String) -> FileError {
        FileError(
            path: file.relativePath, operation: .read, reason: .notAFile,
            detail: "it is damaged, or no index of runs (\(words))")
    }
}
