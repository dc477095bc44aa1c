import Datasets
import Foundation
import Safetensors
import TestSupport
import Testing

/// An IDX file with this type code and shape.
func idx(_ shape: [Int], _ elements: [UInt8], type: UInt8 = 8) -> Data {
    var data = Data([0, 0, type, UInt8(shape.count)])
    for extent in shape { withUnsafeBytes(of: UInt32(extent).bigEndian) { data.append(contentsOf: $0) } }
    return data + Data(elements)
}

@Suite struct IDXTests {
    @Test func bytesAreRead() throws {
        let directory = try TemporaryDirectory()
        let data = idx([2, 1, 3], [1, 2, 3, 4, 5, 255])
        for (name, stored) in [("plain", data), ("packed.gz", gzipped(data))] {
            try stored.write(to: directory.file(name))
            let file = try IDXFile(contentsOf: directory.file(name))
            #expect(file.type == .uint8)
            #expect(file.shape == [2, 1, 3])
            #expect(file.floats() == [1, 2, 3, 4, 5, 255])
        }
    }

    @Test func everyTypeIsRead() throws {
        #expect(try IDXFile(data: idx([2], [0xFF, 1], type: 0x09)).floats() == [-1, 1])
        #expect(try IDXFile(data: idx([2], [0xFF, 0xFE, 1, 0], type: 0x0B)).floats() == [-2, 256])
        #expect(try IDXFile(data: idx([1], [0xFF, 0xFF, 0xFF, 0xFD], type: 0x0C)).floats() == [-3])
        #expect(try IDXFile(data: idx([1], [0x3F, 0xC0, 0, 0], type: 0x0D)).floats() == [1.5])
        #expect(try IDXFile(data: idx([1], [0xC0, 0x04, 0, 0, 0, 0, 0, 0], type: 0x0E)).floats() == [-2.5])
        #expect(try IDXFile(data: idx([0], [], type: 0x0E)).floats() == [])
    }

    private static let flaws: [(data: Data, says: String)] = [
        (Data(), "0 bytes are too few"),
        (Data([0, 0, 8]), "3 bytes are too few"),
        (Data([0x89, 0x50, 0x4E, 0x47, 0, 0, 0, 0]), "magic number 89 50 4e 47"),
        (idx([1], [1], type: 0x0A), "magic number 00 00 0a 01"),
        (Data([0, 0, 8, 0]), "magic number 00 00 08 00"),
        (Data([0, 0, 8, 3, 0, 0, 0, 1]), "truncated: 8 bytes, but 3 extents end at byte 16"),
        (
            idx([2, 2], [1, 2, 3]),
            "shape [2, 2] takes 4 bytes, but 3 follow the header: the file is truncated"
        ),
        (idx([2, 2], [1, 2, 3, 4, 5]), "5 follow the header: there are bytes after the elements"),
        (
            idx([4_294_967_295, 4_294_967_295, 4_294_967_295], []),
            "the size of shape [4294967295, 4294967295, 4294967295] overflows"
        ),
        (gzipped(idx([2, 2], [1, 2, 3])), "truncated"),
        (gzipped(idx([2, 2], [1, 2, 3, 4])).dropLast(3), "compressed data are truncated"),
    ]

    @Test(arguments: flaws.indices) func everyFlawIsNamed(index: Int) {
        let flaw = Self.flaws[index]
        let error = #expect(throws: DatasetError.self) { try IDXFile(data: flaw.data, named: "x-ubyte") }
        #expect(error?.code == .format)
        #expect(error?.message.hasPrefix("x-ubyte: ") == true)
        #expect(error?.message.contains(flaw.says) == true, "\(error?.message ?? "")")
    }

    @Test func imagesAndLabelsMustAgree() throws {
        func join(_ images: Data, _ labels: Data) throws -> DataSplit {
            try DataSplit(
                images: IDXFile(data: images, named: "images"),
                labels: IDXFile(data: labels, named: "labels"),
                height: 1, width: 2, classes: 10, scale: PixelScale(maximum: 255))
        }
        func failure(_ images: Data, _ labels: Data) -> DatasetError? {
            #expect(throws: DatasetError.self) { try join(images, labels) }
        }
        let images = idx([2, 1, 2], [0, 51, 102, 255])
        #expect(try join(images, idx([2], [0, 9])).labels == [0, 9])
        #expect(
            failure(images, idx([3], [1, 2, 3]))?.message == "images has 2 images, but labels has 3 labels")
        let label = failure(images, idx([2], [3, 10]))
        #expect(label?.message == "labels: label 1 is 10; allowed: 0 to 9")
        #expect(label?.code == .value)
        #expect(
            failure(idx([2, 2, 1], [0, 1, 2, 3]), idx([2], [1, 2]))?.message
                == "images: shape [2, 2, 1]; expected images of [count, 1, 2]")
        #expect(failure(images, images)?.message.contains("labels: shape [2, 1, 2]") == true)
    }

    @Test(arguments: [(Float.nan, "nan"), (-.infinity, "-inf")])
    func numbersThatAreNotFiniteAreRefused(value: Float, text: String) throws {
        let bits = withUnsafeBytes(of: value.bitPattern.bigEndian) { Array($0) }
        let images = try IDXFile(
            data: idx([2, 1, 2], [UInt8](repeating: 0, count: 12) + bits, type: 0x0D), named: "f")
        let labels = try IDXFile(data: idx([2], [0, 1]))
        let error = #expect(throws: DatasetError.self) {
            try DataSplit(
                images: images, labels: labels, height: 1, width: 2, classes: 2,
                scale: PixelScale(maximum: 255))
        }
        #expect(error?.message == "f: example 1, feature 1 is \(text); allowed: finite numbers")
    }

    /// Random damage gives an error or a consistent file, never a crash.
    @Test func fuzz() throws {
        var random = SeededGenerator()
        let seed = random.seed
        let plain = idx([3, 4, 4], (0..<48).map { UInt8($0 * 5) })
        let packed = gzipped(plain)
        var refused = 0
        for round in 0..<20_000 {
            var bytes = [UInt8](round % 2 == 0 ? plain : packed)
            for _ in 0...Int.random(in: 0...2, using: &random) {
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
                case 1: bytes.append(UInt8.random(in: .min ... .max, using: &random))
                default:
                    let position = Int.random(in: 0..<min(bytes.count, 40), using: &random)
                    bytes[position] = UInt8.random(in: .min ... .max, using: &random)
                }
            }
            do {
                let file = try IDXFile(data: Data(bytes), named: "fuzz", limit: 1 << 20)
                let size = file.shape.reduce(file.type.size, *)
                #expect(file.bytes.count == size, "seed \(seed), round \(round)")
            } catch is DatasetError {
                refused += 1
            }
        }
        #expect(refused > 10_000, "seed \(seed): the damage was too weak to test anything")
    }
}
