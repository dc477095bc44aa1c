import Datasets
import Foundation

/// A data set of the catalogue, and where its files are on this machine.
struct DataState: Encodable {
    /// One file, and its place here if it is at hand.
    struct File: Encodable {
        let name: String
        let bytes: Int
        let path: String?
        let address: String?

        init(name: String, bytes: Int, path: String?, address: String?) {
            (self.name, self.bytes, self.path, self.address) = (name, bytes, path, address)
        }

        /// A file that is on this machine, and does as well as a published one.
        init(_ url: URL) {
            let size = try? FileManager.default.attributesOfItem(atPath: url.path)[.size] as? Int
            self.init(name: url.lastPathComponent, bytes: size ?? 0, path: url.path, address: nil)
        }
    }

    let name: String
    let summary: String
    /// Absent where the settings decide.
    let shape: [Int]?
    let classes: [String]?
    let train: Int?
    let test: Int?
    /// Whether it can be loaded without a download.
    let isAtHand: Bool
    let files: [File]
    let source: String
    let licence: String

    init(_ data: any PublishedData, _ locations: DataLocations) {
        name = data.name
        summary = data.summary
        shape = data.examples?.shape
        classes = data.examples?.classNames
        train = data.examples?.trainCount
        test = data.examples?.testCount
        let published = data.files.map { file in
            File(
                name: file.name, bytes: file.byteCount, path: locations.find(file, of: data.name)?.path,
                address: file.addresses.first?.absoluteString)
        }
        if published.contains(where: { $0.path == nil }), let others = data.alternative(in: locations) {
            files = others.map { File($0) }
        } else {
            files = published
        }
        isAtHand = files.allSatisfy { $0.path != nil }
        source = data.source
        licence = data.licence
    }

    /// In two or three words.
    var availability: String {
        if files.isEmpty { return "built in" }
        if isAtHand { return "at hand" }
        let missing = files.filter { $0.path == nil }.reduce(0) { $0 + $1.bytes }
        return "download of \(Self.megabytes(missing))"
    }

    /// Everything, for people.
    var text: String {
        var rows = [("name", name), ("what", summary)]
        if let shape, let classes, let train, let test {
            rows += [
                ("shape", shape.map(String.init).joined(separator: "×")),
                classes.isEmpty
                    ? ("target", "a number") : ("classes", "\(classes.count): \(Self.joined(classes))"),
                ("examples", "\(train) for training, \(test) for testing"),
            ]
        }
        rows.append(("state", availability))
        for file in files {
            rows.append(
                (
                    "file",
                    "\(file.name), \(Self.megabytes(file.bytes)): \(file.path ?? file.address ?? "not at hand")"
                ))
        }
        rows += [("source", source), ("licence", licence)]
        return rows.map { $0.0.padded(10) + $0.1 }.joined(separator: "\n")
    }

    private static func joined(_ names: [String]) -> String {
        names.prefix(20).joined(separator: ", ") + (names.count > 20 ? ", …" : "")
    }

    private static func megabytes(_ bytes: Int) -> String {
        bytes < 100_000 ? "\(max(1, bytes / 1000)) kB" : String(format: "%.1f MB", Double(bytes) / 1e6)
    }
}

/// Says on standard error how downloads go: a line at each tenth of a file.
final class DownloadNotes: @unchecked Sendable {
    private let lock = NSLock()
    private var last: (address: URL, tenth: Int)?

    func note(_ progress: DownloadProgress) {
        let tenth = progress.total > 0 ? progress.received * 10 / progress.total : 0
        lock.lock()
        defer { lock.unlock() }
        if let last, last.address == progress.address, last.tenth >= tenth { return }
        last = (progress.address, tenth)
        Output.note("\(progress.address.absoluteString): \(tenth * 10)% of \(progress.total) bytes")
    }
}
