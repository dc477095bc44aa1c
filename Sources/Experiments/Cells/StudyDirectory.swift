import Foundation
import Safetensors
import Training

/// The directory of a comparison or a search: claimed by the text of its file, and locked while a process works there.
///
/// A study that was interrupted, or whose file changed in what its cells do not depend on, goes on in its directory; another
/// study is refused.
final class StudyDirectory {
    /// What is studied; the stored file is called by it.
    enum Kind: String, CaseIterable {
        case comparison, search
        case noiseRange = "noise-range"

        var fileName: String { "\(rawValue).yaml" }

        /// What may change when it goes on, in words.
        var mayChange: String {
            switch self {
            case .comparison: "metric, level, parallel and further seeds"
            case .search: "parallel"
            case .noiseRange: "nothing"
            }
        }
    }

    let url: URL
    private let lock: DirectoryLock

    /// Makes the directory, or finds the same study in it.
    ///
    /// - Parameters:
    ///   - text: everything that the study depends on.
    ///   - file: the study's file, for messages.
    ///   - goesOn: whether the study whose text the directory holds is this one, in an earlier form; only the same text unless
    ///     told.
    /// - Throws: ``ConfigError`` where the directory holds another study; `FileError` where it cannot be made, is something
    ///   else, or is in use.
    init(
        _ url: URL, kind: Kind, text: String, file: String,
        goesOn: (_ stored: String) -> Bool = { _ in false }
    ) throws {
        self.url = url
        let stored = url.appendingPathComponent(kind.fileName)
        let isThere = FileManager.default.fileExists(atPath: stored.path)
        guard isThere || Self.isFree(url) else {
            throw FileError(
                path: url.relativePath, operation: .create, reason: .notAFile,
                detail: "it exists, and is no \(kind.rawValue); give another --output")
        }
        do {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        } catch {
            throw FileError(
                path: url.relativePath, operation: .create, reason: .permission,
                detail: "the directory cannot be made")
        }
        lock = try DirectoryLock(url, work: "this \(kind.rawValue)")
        guard isThere else {
            try AtomicFile.write(Data(text.utf8), to: stored)
            return
        }
        let before = String(decoding: try MappedFile.contents(of: stored), as: UTF8.self)
        guard before != text else { return }
        guard goesOn(before) else {
            throw ConfigError(
                .badValue,
                "\(url.relativePath) holds another \(kind.rawValue), or an older version of this one (what may change: "
                    + "\(kind.mayChange)); give another --output, or remove it", file: file)
        }
        try AtomicFile.write(Data(text.utf8), to: stored)
    }

    /// Whether nothing is there, or no more than a lock of a process that was killed before it wrote anything.
    private static func isFree(_ url: URL) -> Bool {
        guard FileManager.default.fileExists(atPath: url.path) else { return true }
        let names = try? FileManager.default.contentsOfDirectory(atPath: url.path)
        return names.map { $0.allSatisfy { $0.hasPrefix(".") } && !$0.isEmpty } ?? false
    }
}
