import Crypto
import Foundation
import Safetensors

/// What CIFAR-10 and CIFAR-100 share: an archive of records, each one or two labels and 3,072 pixels.
struct CIFARImages: Sendable {
    /// The folder in the archive.
    var folder: String
    var trainFiles: [String]
    var testFile: String
    /// Labels before the pixels; the last one counts.
    var labels: Int

    static let pixels = 3 * 32 * 32

    private var names: [String] { trainFiles + [testFile] }

    /// Where the unpacked files may lie, relative to a folder of `PEO_DATA`.
    private func folders(of dataset: String) -> [String] { ["\(dataset)/\(folder)", dataset] }

    /// The unpacked files, which do as well as the archive.
    func alternatives(of dataset: String) -> [[String]] {
        folders(of: dataset).map { folder in names.map { "\(folder)/\($0)" } }
    }

    /// Finds, checks and reads the files of `entry`: unpacked below a folder of `PEO_DATA`, or the archive.
    @Sendable func load(_ entry: DatasetEntry, from locations: DataLocations) throws -> Dataset {
        let read = try reader(entry, locations)
        func split(_ names: [String]) throws -> DataSplit {
            var pixels = Data()
            var labels: [Int64] = []
            for name in names { try append(read(name), entry, to: &pixels, &labels) }
            return DataSplit(
                pixels: pixels, scales: entry.scales, labels: labels, exampleSize: Self.pixels)
        }
        return Dataset(
            name: entry.name, inputShape: entry.inputShape, classNames: entry.classNames,
            train: try split(trainFiles), test: try split([testFile]))
    }

    private typealias Contents = (bytes: Data, name: String)

    /// How a file of the archive is read, and what errors call it.
    private func reader(_ entry: DatasetEntry, _ locations: DataLocations) throws -> (String) throws
        -> Contents
    {
        for place in locations.searchFolders {
            for unpacked in folders(of: entry.name) {
                let directory = place.appendingPathComponent(unpacked)
                let exists = names.contains {
                    FileManager.default.fileExists(atPath: directory.appendingPathComponent($0).path)
                }
                guard exists else { continue }
                return { name in
                    let url = directory.appendingPathComponent(name)
                    guard FileManager.default.fileExists(atPath: url.path) else {
                        throw DatasetError(
                            .missing, "data set '\(entry.name)' needs \(url.path), which is not there")
                    }
                    return (try MappedFile.contents(of: url), url.path)
                }
            }
        }
        let remote = entry.files[0]
        let url = try locations.locate(remote, of: entry.name)
        let archive = try TarArchive(Self.unpacked(remote, at: url, of: entry.name), named: url.path)
        return { name in
            guard let contents = archive.files["\(folder)/\(name)"] ?? archive.files["./\(folder)/\(name)"]
            else { throw DatasetError(.format, "\(url.path) has no file \(folder)/\(name)") }
            return (contents, "\(url.path), \(name)")
        }
    }

    /// The archive without compression, after a comparison with what was published.
    private static func unpacked(_ file: RemoteFile, at url: URL, of dataset: String) throws -> Data {
        let stored = try MappedFile.contents(of: url)
        guard Gzip.isCompressed(stored) else { return stored }
        let sum = SHA256.hash(data: stored).hexadecimal
        if let expected = file.sha256, sum != expected {
            throw DatasetError(
                .checksum,
                "\(url.path) is not the file of data set '\(dataset)': its SHA-256 is \(sum), expected "
                    + "\(expected). Remove it, so that the published file is downloaded, or replace it by the "
                    + "published file (\(file.addresses[0]))")
        }
        return try Gzip.inflate(stored, limit: 1 << 28, named: url.path)
    }

    private func append(
        _ file: Contents, _ entry: DatasetEntry, to pixels: inout Data, _ targets: inout [Int64]
    ) throws {
        let record = labels + Self.pixels
        guard !file.bytes.isEmpty, file.bytes.count.isMultiple(of: record) else {
            throw DatasetError(
                .format,
                "\(file.name) has \(file.bytes.count) bytes; expected whole images of \(record) bytes")
        }
        pixels.reserveCapacity(pixels.count + file.bytes.count)
        for start in stride(from: file.bytes.startIndex, to: file.bytes.endIndex, by: record) {
            let label = file.bytes[start + labels - 1]
            guard Int(label) < entry.classNames.count else {
                throw DatasetError(
                    .value,
                    "\(file.name): image \((start - file.bytes.startIndex) / record) has label \(label); allowed: 0 to "
                        + "\(entry.classNames.count - 1)")
            }
            targets.append(Int64(label))
            pixels.append(file.bytes[start + labels..<start + record])
        }
    }
}
