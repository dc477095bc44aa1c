import Crypto
import Datasets
import Foundation
import Safetensors
import TestSupport
import Testing

@Suite struct CatalogueTests {
    /// Written out as CSV again, the embedded digits are byte for byte the file that scikit-learn 1.9.1
    /// ships (after decompression), whose SHA-256 was taken from the wheel.
    @Test func digitsAreTheOriginal() throws {
        let bytes = try DigitsImages.unpacked()
        var csv = ""
        for image in 0..<1797 {
            for pixel in 0..<64 { csv += "\(bytes[image * 64 + pixel])," }
            csv += "\(bytes[1797 * 64 + image])\n"
        }
        let sum = SHA256.hash(data: Data(csv.utf8)).map { String(format: "%02x", $0) }.joined()
        #expect(sum == "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8")
    }

    @Test func digitsAreSplitAsDocumented() throws {
        let data = try DatasetCatalogue.load("digits")
        #expect(data.inputShape == [1, 8, 8])
        #expect((data.train.count, data.test.count) == (1437, 360))
        func perClass(_ split: DataSplit) -> [Int] {
            (0..<10).map { label in split.labels.filter { $0 == label }.count }
        }
        // The class counts of the whole are those that UCI states; those of the test part pin the split.
        let whole = zip(perClass(data.train), perClass(data.test)).map(+)
        #expect(whole == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
        #expect(perClass(data.test) == [28, 48, 40, 34, 39, 28, 37, 29, 46, 31])
        var features = [Float](repeating: 0, count: 1437 * 64)
        var labels = [Int64](repeating: 0, count: 1437)
        features.withUnsafeMutableBufferPointer { features in
            labels.withUnsafeMutableBufferPointer {
                data.train.copyBatch((0..<1437).map { $0 }[...], into: features, labels: $0)
            }
        }
        let mean = features.reduce(0) { $0 + Double($1) } / Double(features.count)
        let square = features.reduce(0) { $0 + Double($1) * Double($1) } / Double(features.count)
        #expect(abs(mean) < 0.02)
        #expect(abs(square - 1) < 0.02)
    }

    @Test func unknownNamesAreAnsweredWithTheNearest() {
        let known = DatasetCatalogue.entries.map(\.name).joined(separator: ", ")
        let error = #expect(throws: DatasetError.self) { try DatasetCatalogue.load("fasion-mnist") }
        #expect(error?.code == .unknown)
        #expect(
            error?.message
                == "unknown data set 'fasion-mnist'; did you mean 'fashion-mnist'? "
                + "(known: \(known))")
        let far = #expect(throws: DatasetError.self) { try DatasetCatalogue.load("imagenet") }
        #expect(far?.message == "unknown data set 'imagenet' (known: \(known))")
    }

    @Test func entriesAreComplete() {
        #expect(Set(DatasetCatalogue.entries.map(\.name)).count == DatasetCatalogue.entries.count)
        for entry in DatasetCatalogue.entries {
            #expect(!entry.summary.isEmpty && !entry.source.isEmpty && !entry.licence.isEmpty)
            #expect(entry.classNames.count >= 2 && [1, 3].contains(entry.inputShape.count))
            #expect(Set(entry.classNames).count == entry.classNames.count)
            for file in entry.files {
                #expect(file.md5.count == 32 && (file.contentSHA256 ?? file.sha256)?.count == 64)
                #expect(!file.addresses.isEmpty)
            }
        }
    }

    @Test func locationsFollowTheEnvironment() {
        let set = DataLocations(environment: ["PEO_DATA": "/a:/b", "XDG_CACHE_HOME": "/c", "HOME": "/h"])
        #expect(set.searchFolders.map(\.path) == ["/a", "/b"])
        #expect(set.cacheFolder.path == "/c/peo/data")
        let unset = DataLocations(environment: ["HOME": "/h", "XDG_CACHE_HOME": "relative"])
        #expect(unset.searchFolders.isEmpty)
        #expect(unset.cacheFolder.path == "/h/.cache/peo/data")
    }

    // MARK: Files of known data sets

    /// The folder with the published MNIST and Fashion-MNIST files, if this machine has them.
    private static let published: URL? = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let named = (ProcessInfo.processInfo.environment["PEO_DATA"] ?? "").split(separator: ":")
        let folders =
            named.map { URL(fileURLWithPath: String($0)) }
            + [root.deletingLastPathComponent().appendingPathComponent("shared/data")]
        return folders.first { folder in
            ["mnist", "fashion-mnist"].allSatisfy {
                FileManager.default.fileExists(
                    atPath: folder.appendingPathComponent("\($0)/train-images-idx3-ubyte.gz").path)
            }
        }
    }()

    private func locations(_ folders: [URL], cache: URL) -> DataLocations {
        var locations = DataLocations(environment: [:], downloader: Downloader(isAllowed: false))
        locations.searchFolders = folders
        locations.cacheFolder = cache
        return locations
    }

    @Test(
        .enabled(if: published != nil, "neither PEO_DATA nor ../shared/data has the published files"),
        arguments: [("mnist", [5, 0, 4]), ("fashion-mnist", [9, 0, 0])])
    func publishedFilesAreRead(name: String, firstLabels: [Int]) throws {
        let directory = try TemporaryDirectory()
        let data = try DatasetCatalogue.load(name, from: locations([Self.published!], cache: directory.url))
        #expect((data.train.count, data.test.count) == (60_000, 10_000))
        #expect(data.train.labels.prefix(3).map { Int($0) } == firstLabels)
        var features = [Float](repeating: 0, count: 10_000 * 784)
        var labels = [Int64](repeating: 0, count: 10_000)
        features.withUnsafeMutableBufferPointer { features in
            labels.withUnsafeMutableBufferPointer {
                data.train.copyBatch((0..<10_000).map { $0 }[...], into: features, labels: $0)
            }
        }
        let mean = features.reduce(0) { $0 + Double($1) } / Double(features.count)
        #expect(abs(mean) < 0.02, "the training images are not standardised")
    }

    @Test func missingFilesAreNamedWithTheWayOut() throws {
        let directory = try TemporaryDirectory()
        let places = locations([directory.file("mine")], cache: directory.file("cache"))
        let error = #expect(throws: DatasetError.self) { try DatasetCatalogue.load("mnist", from: places) }
        #expect(error?.code == .missing)
        #expect(error?.isMissingInput == true)
        let message = error?.message ?? ""
        for part in [
            "data set 'mnist' needs train-images-idx3-ubyte.gz", directory.file("mine").path,
            directory.file("cache").path + "/mnist/train-images-idx3-ubyte.gz", "downloads are not allowed",
            "name that folder in PEO_DATA",
        ] {
            #expect(message.contains(part), "'\(part)' is missing in: \(message)")
        }
    }

    /// Well-formed files with other contents are refused: both sums are named, and how to go on.
    @Test func otherContentsAreRefused() throws {
        let directory = try TemporaryDirectory()
        let folder = directory.file("mnist")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appendingPathComponent("train-images-idx3-ubyte")
        let contents = idx([1, 28, 28], [UInt8](repeating: 1, count: 784))
        try contents.write(to: file)
        let places = locations([directory.url], cache: directory.file("cache"))
        let error = #expect(throws: DatasetError.self) { try DatasetCatalogue.load("mnist", from: places) }
        #expect(error?.code == .checksum)
        let found = SHA256.hash(data: contents).map { String(format: "%02x", $0) }.joined()
        let message = error?.message ?? ""
        #expect(message.contains(file.path))
        #expect(message.contains(found))
        #expect(message.contains("ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"))
        #expect(message.contains("Remove it"))

        try contents.dropLast(9).write(to: file)
        let truncated = #expect(throws: DatasetError.self) {
            try DatasetCatalogue.load("mnist", from: places)
        }
        #expect(truncated?.code == .format)
        #expect(truncated?.message.contains("truncated") == true)
    }
}
