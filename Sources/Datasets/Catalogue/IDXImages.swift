import Foundation
import Safetensors

/// What MNIST and its drop-in replacements share: four IDX files of fixed names.
enum IDXImages {
    /// The size, the MD5 and the content's SHA-256 of each file, in the order of ``names``.
    typealias Sums = (byteCount: Int, md5: String, contentSHA256: String)

    static let names = [
        "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz",
        "t10k-labels-idx1-ubyte.gz",
    ]

    /// The four files, each below every one of `bases`.
    static func files(below bases: [String], _ sums: [Sums]) -> [RemoteFile] {
        zip(names, sums).map { name, sums in
            RemoteFile(
                name: name, addresses: bases.map { URL(string: "\($0)/\(name)")! }, byteCount: sums.byteCount,
                md5: sums.md5, contentSHA256: sums.contentSHA256)
        }
    }

    /// Finds, checks and joins the four files of `entry`.
    @Sendable static func load(_ entry: DatasetEntry, from locations: DataLocations) throws -> Dataset {
        let files = try entry.files.map { file in
            try read(file, at: locations.locate(file, of: entry.name), of: entry.name)
        }
        guard let scale = entry.scale else { preconditionFailure("the images of \(entry.name) need a scale") }
        func split(_ images: IDXFile, _ labels: IDXFile) throws -> DataSplit {
            try DataSplit(
                images: images, labels: labels, height: entry.inputShape[1], width: entry.inputShape[2],
                classes: entry.classNames.count, scale: scale)
        }
        return Dataset(
            name: entry.name, inputShape: entry.inputShape, classNames: entry.classNames,
            train: try split(files[0], files[1]), test: try split(files[2], files[3]))
    }

    /// Reads one file, and compares its contents with what was published.
    ///
    /// The structure is checked first, since it says more about a damaged file than a checksum does.
    private static func read(_ file: RemoteFile, at url: URL, of dataset: String) throws -> IDXFile {
        let stored = try MappedFile.contents(of: url)
        let contents =
            Gzip.isCompressed(stored)
            ? try Gzip.inflate(stored, limit: IDXFile.defaultLimit, named: url.path) : stored
        let result = try IDXFile(data: contents, named: url.path)
        try file.verify(contents, at: url, of: dataset)
        return result
    }
}
