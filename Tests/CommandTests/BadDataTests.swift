import Foundation
import TestSupport
import Testing

/// Data that cannot be used: the message names the file, the sample or the sum, and no run is made.
@Suite struct BadDataTests {
    /// An IDX file of bytes.
    private static func idx(_ shape: [Int], type: UInt8 = 8, _ bytes: [UInt8]) -> Data {
        var data = Data([0, 0, type, UInt8(shape.count)])
        for extent in shape { withUnsafeBytes(of: UInt32(extent).bigEndian) { data.append(contentsOf: $0) } }
        return data + Data(bytes)
    }

    private static func floats(_ values: [Float]) -> [UInt8] {
        values.flatMap { value in withUnsafeBytes(of: value.bitPattern.bigEndian) { Array($0) } }
    }

    /// Ten 4×4 images and their labels, as files `a` to `d`.
    private static func write(_ directory: TemporaryDirectory, images: Data? = nil, labels: Data? = nil)
        throws -> String
    {
        let good = idx([10, 4, 4], (0..<160).map { UInt8($0) })
        let goodLabels = idx([10], (0..<10).map { UInt8($0 % 2) })
        try (images ?? good).write(to: directory.file("a"))
        try (labels ?? goodLabels).write(to: directory.file("b"))
        try good.write(to: directory.file("c"))
        try goodLabels.write(to: directory.file("d"))
        return try PeoTool.config(
            PeoTool.smallConfig.replacingOccurrences(
                of: "data: digits",
                with:
                    "data: {idx: {trainImages: a, trainLabels: b, testImages: c, testLabels: d, classes: 2}}"),
            in: directory)
    }

    private func expect(
        _ directory: TemporaryDirectory, _ config: String, status: Int32, says: [String],
        environment: [String: String] = [:]
    ) throws {
        let before = try directory.names()
        let output = try PeoTool.run(["train", config], in: directory, environment: environment)
        #expect(output.status == status && !output.wasSignalled && output.stdout.isEmpty, "\(output.all)")
        for text in says { #expect(output.stderr.contains(text), "wanted: \(text)\n\(output.all)") }
        #expect(try directory.names().filter { $0 != "cache" } == before, "\(output.all)")
    }

    @Test func goodFilesTrain() throws {
        let directory = try TemporaryDirectory()
        let output = try PeoTool.run(["train", Self.write(directory)], in: directory)
        #expect(output.status == 0, "\(output.all)")
    }

    @Test func missing() throws {
        let directory = try TemporaryDirectory()
        let config = try Self.write(directory)
        try FileManager.default.removeItem(at: directory.file("c"))
        try expect(
            directory, config, status: 66, says: [directory.file("c").lastPathComponent, "No such file"])
    }

    @Test func truncated() throws {
        let directory = try TemporaryDirectory()
        let config = try Self.write(directory, images: Self.idx([10, 4, 4], (0..<150).map { UInt8($0) }))
        try expect(directory, config, status: 65, says: ["/a", "truncated"])
    }

    @Test func wrongMagic() throws {
        let directory = try TemporaryDirectory()
        let config = try Self.write(directory, images: Data("PNG, perhaps?".utf8))
        try expect(directory, config, status: 65, says: ["/a", "magic number", "allowed: 00 00"])
    }

    @Test func notANumber() throws {
        let directory = try TemporaryDirectory()
        var values = [Float](repeating: 0.5, count: 160)
        values[16 * 7 + 3] = .nan
        let config = try Self.write(directory, images: Self.idx([10, 4, 4], type: 0x0D, Self.floats(values)))
        try expect(directory, config, status: 65, says: ["/a", "example 7, feature 3", "nan", "finite"])
    }

    @Test func labelOutOfRange() throws {
        let directory = try TemporaryDirectory()
        let config = try Self.write(directory, labels: Self.idx([10], [0, 1, 0, 1, 5, 0, 1, 0, 1, 0]))
        try expect(directory, config, status: 65, says: ["/b", "label 4 is 5", "0 to 1"])
    }

    @Test func checksumMismatch() throws {
        let directory = try TemporaryDirectory()
        let folder = directory.file("data/mnist")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for (name, shape) in [
            ("train-images-idx3-ubyte", [4, 28, 28]), ("train-labels-idx1-ubyte", [4]),
            ("t10k-images-idx3-ubyte", [4, 28, 28]), ("t10k-labels-idx1-ubyte", [4]),
        ] {
            let bytes = [UInt8](repeating: 1, count: shape.reduce(1, *))
            try Self.idx(shape, bytes).write(to: folder.appendingPathComponent(name))
        }
        let config = try PeoTool.config(
            PeoTool.smallConfig.replacingOccurrences(of: "data: digits", with: "data: mnist"), in: directory)
        try expect(
            directory, config, status: 65, says: ["train-images-idx3-ubyte", "SHA-256", "expected"],
            environment: ["PEO_DATA": directory.file("data").path])
    }
}
