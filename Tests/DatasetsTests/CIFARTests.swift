import Crypto
import Datasets
import Foundation
import Safetensors
import TestSupport
import Testing

/// A tar archive of regular files, as `tar --format=ustar` makes it.
func tar(_ files: [(name: String, contents: Data)], type: UInt8 = UInt8(ascii: "0")) -> Data {
    var archive = Data()
    for (name, contents) in files {
        var header = [UInt8](repeating: 0, count: 512)
        func write(_ text: String, at place: Int) {
            header.replaceSubrange(place..<place + text.utf8.count, with: text.utf8)
        }
        write(name, at: 0)
        write("0000644", at: 100)
        let octal = String(contents.count, radix: 8)
        write(String(repeating: "0", count: 11 - octal.count) + octal, at: 124)
        write("        ", at: 148)
        header[156] = type
        write("ustar\u{0}00", at: 257)
        let sum = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
        write(String(repeating: "0", count: 6 - sum.count) + sum + "\u{0} ", at: 148)
        archive += Data(header) + contents + Data(count: (512 - contents.count % 512) % 512)
    }
    return archive + Data(count: 1024)
}

@Suite struct CIFARTests {
    /// Images whose pixels tell the image, channel and place; the label is the image's number.
    private func records(_ images: Range<Int>, labels: Int = 1) -> Data {
        images.reduce(into: Data()) { data, image in
            data += labels == 2 ? [7, UInt8(image % 100)] : [UInt8(image % 10)]
            for channel in 0..<3 {
                data += (0..<1024).map { UInt8(truncatingIfNeeded: image &* 31 &+ channel &* 85 &+ $0) }
            }
        }
    }

    private func files(_ folder: String = "cifar-10-batches-bin/") -> [(name: String, contents: Data)] {
        (1...5).map { ("\(folder)data_batch_\($0).bin", records(($0 - 1) * 2..<$0 * 2)) }
            + [("\(folder)test_batch.bin", records(20..<23)), ("\(folder)readme.html", Data("x".utf8))]
    }

    private func locations(_ folders: [URL], cache: URL, network: Bool = false) -> DataLocations {
        var locations = DataLocations(environment: [:], downloader: Downloader(isAllowed: network))
        locations.searchFolders = folders
        locations.cacheFolder = cache
        return locations
    }

    private func write(_ files: [(name: String, contents: Data)], below folder: URL) throws {
        for (name, contents) in files {
            let url = folder.appendingPathComponent(name)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try contents.write(to: url)
        }
    }

    private func check(_ data: Dataset) {
        #expect((data.train.count, data.test.count) == (10, 3))
        #expect(data.inputShape == [3, 32, 32])
        #expect(data.train.labels == (0..<10).map { Int64($0) } && data.test.labels == [0, 1, 2])
        var features = [Float](repeating: 0, count: 2 * 3072)
        var labels = [Int64](repeating: 0, count: 2)
        features.withUnsafeMutableBufferPointer { features in
            labels.withUnsafeMutableBufferPointer {
                data.train.copyBatch([9, 3][...], into: features, labels: $0)
            }
        }
        let scales = DatasetEntry.cifar10.scales
        for (place, image) in [9, 3].enumerated() {
            for channel in 0..<3 {
                for pixel in [0, 500, 1023] {
                    let byte = UInt8(truncatingIfNeeded: image &* 31 &+ channel &* 85 &+ pixel)
                    let value = (Float(byte) / 255 - scales[channel].mean) / scales[channel].deviation
                    #expect(features[place * 3072 + channel * 1024 + pixel] == value)
                }
            }
        }
        #expect(data.train.pixelRanges(channels: 3) == scales.map(\.range))
    }

    @Test func unpackedFilesAreRead() throws {
        let directory = try TemporaryDirectory()
        try write(files("cifar-10/cifar-10-batches-bin/"), below: directory.url)
        check(try DatasetEntry.cifar10.load(from: locations([directory.url], cache: directory.file("c"))))
        let flat = try TemporaryDirectory()
        try write(files("cifar-10/"), below: flat.url)
        check(try DatasetEntry.cifar10.load(from: locations([flat.url], cache: flat.file("c"))))
    }

    @Test func anArchiveWithoutCompressionIsRead() throws {
        let directory = try TemporaryDirectory()
        try write([("cifar-10/cifar-10-binary.tar", tar(files()))], below: directory.url)
        check(try DatasetEntry.cifar10.load(from: locations([directory.url], cache: directory.file("c"))))
    }

    /// Another archive than the published one is refused by its checksum.
    @Test func anotherArchiveIsRefused() throws {
        let directory = try TemporaryDirectory()
        try write([("cifar-10/cifar-10-binary.tar.gz", gzipped(tar(files())))], below: directory.url)
        let error = #expect(throws: DatasetError.self) {
            try DatasetEntry.cifar10.load(from: locations([directory.url], cache: directory.file("c")))
        }
        #expect(error?.code == .checksum && error?.message.contains("c4a38c50a1bc") == true)
    }

    /// The whole way, with a small archive in the published one's place: download, checks, untarring.
    @Test func theArchiveIsDownloaded() throws {
        let archive = gzipped(tar(files()))
        let server = try LocalServer(content: archive, other: Data(count: archive.count))
        let directory = try TemporaryDirectory()
        func entry(_ kind: String) -> DatasetEntry {
            DatasetEntry.cifar10.replacing(files: [
                RemoteFile(
                    name: "cifar-10-binary.tar.gz", addresses: [server.address("\(kind)/x.tar.gz")],
                    byteCount: archive.count,
                    md5: Insecure.MD5.hash(data: archive).map { String(format: "%02x", $0) }.joined(),
                    sha256: SHA256.hash(data: archive).map { String(format: "%02x", $0) }.joined())
            ])
        }
        let places = locations([], cache: directory.url, network: true)
        let wrong = #expect(throws: DatasetError.self) { try entry("wrong").load(from: places) }
        #expect(wrong?.code == .checksum)
        check(try entry("cut").load(from: places))
        check(try entry("404").load(from: places))
    }

    @Test func theFineLabelOfCIFAR100Counts() throws {
        let directory = try TemporaryDirectory()
        try write(
            [
                ("cifar-100/cifar-100-binary/train.bin", records(40..<44, labels: 2)),
                ("cifar-100/cifar-100-binary/test.bin", records(98..<100, labels: 2)),
            ], below: directory.url)
        let data = try DatasetEntry.cifar100.load(
            from: locations([directory.url], cache: directory.file("c")))
        #expect(data.train.labels == [40, 41, 42, 43] && data.test.labels == [98, 99])
        #expect(data.classNames.count == 100 && data.classNames[99] == "worm")
    }

    @Test(arguments: [
        (3072, UInt8(0), DatasetError.Code.format, "has 3072 bytes; expected whole images of 3073 bytes"),
        (0, 0, .format, "has 0 bytes"), (3073, 10, .value, "image 0 has label 10; allowed: 0 to 9"),
    ])
    func badRecordsAreNamed(size: Int, label: UInt8, code: DatasetError.Code, words: String) throws {
        let directory = try TemporaryDirectory()
        var files = files("cifar-10/")
        files[1].contents = Data(repeating: label, count: size)
        try write(files, below: directory.url)
        let error = #expect(throws: DatasetError.self) {
            try DatasetEntry.cifar10.load(from: locations([directory.url], cache: directory.file("c")))
        }
        #expect(error?.code == code)
        #expect(error?.message.contains("data_batch_2.bin") == true)
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test func aMissingBatchIsNamed() throws {
        let directory = try TemporaryDirectory()
        try write(files("cifar-10/").filter { !$0.name.contains("batch_4") }, below: directory.url)
        let error = #expect(throws: DatasetError.self) {
            try DatasetEntry.cifar10.load(from: locations([directory.url], cache: directory.file("c")))
        }
        #expect(error?.code == .missing && error?.message.contains("data_batch_4.bin") == true)
    }

    @Test func archivesAreReadStrictly() throws {
        let good = tar([("a/b", Data([1, 2, 3])), ("c", Data(count: 600))])
        let archive = try TarArchive(good, named: "x")
        #expect(archive.files == ["a/b": Data([1, 2, 3]), "c": Data(count: 600)])
        #expect(try TarArchive(tar([("d", Data())], type: UInt8(ascii: "5")), named: "x").files.isEmpty)
        var damaged = good
        damaged[3] ^= 1
        for (data, words) in [
            (damaged, "checksum is wrong"), (good.prefix(1100), "ends within"),
            (good.prefix(514), "are left"), (Data(), "is empty"),
        ] {
            let error = #expect(throws: DatasetError.self) { try TarArchive(data, named: "x.tar") }
            #expect(error?.message.hasPrefix("x.tar") == true)
            #expect(error?.message.contains(words) == true, "\(error?.message ?? "") / \(words)")
        }
        // What the system's tar makes is read too.
        let directory = try TemporaryDirectory()
        try write([("in/one", Data("1".utf8)), ("in/two", Data(count: 5000))], below: directory.url)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["tar", "-C", directory.url.path, "-cf", directory.file("t.tar").path, "in"]
        try process.run()
        process.waitUntilExit()
        let read = try TarArchive(Data(contentsOf: directory.file("t.tar")), named: "t.tar")
        #expect(read.files == ["in/one": Data("1".utf8), "in/two": Data(count: 5000)])
    }
}
