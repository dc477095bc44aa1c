import CZlib
import Datasets
import Foundation
import TestSupport
import Testing

/// A PNG file; `type` is 0 (grey), 2 (colour) or 6 (colour and opacity), 8 bits each.
func png(_ width: Int, _ height: Int, _ samples: [UInt8], type: UInt8 = 2) -> Data {
    func number(_ value: Int) -> Data { withUnsafeBytes(of: UInt32(value).bigEndian) { Data($0) } }
    func chunk(_ name: String, _ contents: Data) -> Data {
        let body = Data(name.utf8) + contents
        let sum = body.withUnsafeBytes {
            crc32(0, $0.bindMemory(to: UInt8.self).baseAddress, UInt32($0.count))
        }
        return number(contents.count) + body + number(Int(sum))
    }
    let row = samples.count / height
    let lines = (0..<height).reduce(into: Data()) { $0 += [0] + samples[$1 * row..<($1 + 1) * row] }
    var packed = [UInt8](repeating: 0, count: Int(compressBound(UInt(lines.count))))
    var count = UInt(packed.count)
    lines.withUnsafeBytes {
        _ = compress(&packed, &count, $0.bindMemory(to: UInt8.self).baseAddress, UInt($0.count))
    }
    return Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
        + chunk("IHDR", number(width) + number(height) + [8, type, 0, 0, 0])
        + chunk("IDAT", Data(packed.prefix(Int(count)))) + chunk("IEND", Data())
}

@Suite struct ImageFolderTests {
    // Made by Pillow 12 (quality 95, no subsampling) of a 24×16 image whose pixel (x, y) is (10x, 15y, 4x + 6y), in colour
    // and as luma; the same as CMYK.
    private static let colour = """
        /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsICQoKCgoKBggLDAsKDAkKCgr/2wBDAQICAgICAgUDAwUKBwYHCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgr/wAARCAAQABgDAREAAhEBAxEB/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/8QAHwEAAwEBAQEBAQEBAQAAAAAAAAECAwQFBgcICQoL/8QAtREAAgECBAQDBAcFBAQAAQJ3AAECAxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMzUvAVYnLRChYkNOEl8RcYGRomJygpKjU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6goOEhYaHiImKkpOUlZaXmJmaoqOkpaanqKmqsrO0tba3uLm6wsPExcbHyMnK0tPU1dbX2Nna4uPk5ebn6Onq8vP09fb3+Pn6/9oADAMBAAIRAxEAPwD8tPh/+yl9z/iW+n8FeRDMvM8LhTj74ffPbvAH7KXKf8S3/wAcrqhmXmf0rwpx98Pvnt/gH9lLlP8AiW+n8FdUMy8z+luFOPvh989T+H/7KX3P+Jb/AOOV+WQzLzP+fvhTj74ffPbvh/8Aspfc/wCJb6fwV1QzLzP6W4U4++H3z274f/spfc/4lv8A45XVDMvM/pXhTj74ffP/2Q==
        """
    private static let grey = """
        /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsICQoKCgoKBggLDAsKDAkKCgr/wAALCAAQABgBAREA/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/9oACAEBAAA/APy0+H/7KX3P+Jb6fwV7d4A/ZS5T/iW/+OV7f4B/ZS5T/iW+n8Fep/D/APZS+5/xLf8Axyvbvh/+yl9z/iW+n8Fe3fD/APZS+5/xLf8Axyv/2Q==
        """
    private static let cmyk = """
        /9j/7gAOQWRvYmUAZAAAAAAA/9sAQwAoHB4jHhkoIyEjLSsoMDxkQTw3Nzx7WF1JZJGAmZaPgIyKoLTmw6Cq2q2KjMj/y9ru9f///5vB////+v/m/f/4/8AAFAgAEAAYBEMRAE0RAFkRAEsRAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkKC//EALUQAAIBAwMCBAMFBQQEAAABfQECAwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5+v/aAA4EQwBNAFkASwAAPwDMgqh9m9qzEjrZrQgo+ze1TpHRWhBR9m9qmSOiufgrY+ze1MSOitCCj7N7VMkdFaEFH2b2qdI6K//Z
        """

    private func data(_ base64: String) throws -> Data {
        try #require(Data(base64Encoded: base64, options: .ignoreUnknownCharacters))
    }

    private func pixel(_ file: ImageFile, _ x: Int, _ y: Int) -> [Int] {
        (0..<3).map { Int(file.pixels[(y * file.width + x) * 3 + $0]) }
    }

    @Test func pngFilesAreReadToTheByte() throws {
        let samples = (0..<5 * 3 * 3).map { UInt8(truncatingIfNeeded: $0 * 37) }
        let colour = try ImageFile(png(5, 3, samples), named: "a.png")
        #expect((colour.width, colour.height) == (5, 3) && colour.pixels == samples)
        let grey = try ImageFile(png(3, 1, [0, 100, 255], type: 0), named: "a.png")
        #expect(grey.pixels == [0, 0, 0, 100, 100, 100, 255, 255, 255])
        let clear = try ImageFile(png(2, 1, [9, 8, 7, 255, 200, 200, 200, 0], type: 6), named: "a.png")
        #expect(clear.pixels == [9, 8, 7, 0, 0, 0])
    }

    /// Against what Pillow reads; decoders may differ by one in each conversion.
    @Test func jpegFilesAreRead() throws {
        let colour = try ImageFile(data(Self.colour), named: "a.jpg")
        #expect((colour.width, colour.height) == (24, 16))
        let expected = [
            (0, 0, [0, 0, 0]), (23, 0, [230, 0, 91]), (7, 9, [71, 133, 82]), (12, 8, [121, 121, 97]),
            (23, 15, [229, 224, 182]),
        ]
        for (x, y, values) in expected {
            let close = zip(pixel(colour, x, y), values).allSatisfy { abs($0 - $1) <= 2 }
            #expect(close, "(\(x), \(y)): \(pixel(colour, x, y)), expected \(values)")
        }
        let grey = try ImageFile(data(Self.grey), named: "a.jpg")
        for (x, y, value) in [(0, 0, 0), (23, 0, 79), (7, 9, 109), (23, 15, 221)] {
            #expect(pixel(grey, x, y).allSatisfy { abs($0 - value) <= 1 })
        }
    }

    @Test func unreadableFilesAreNamed() throws {
        let good = try data(Self.colour)
        let picture = png(4, 4, [UInt8](repeating: 7, count: 48))
        for (bytes, words) in [
            (Data(), "is neither a PNG nor a JPEG"), (Data("GIF89a".utf8), "is neither a PNG nor a JPEG"),
            (good.prefix(700), "cannot be read"), (picture.prefix(50), "cannot be read"),
            (try data(Self.cmyk), "cannot be read"),
        ] {
            let error = #expect(throws: DatasetError.self) { try ImageFile(bytes, named: "dog.jpg") }
            #expect(error?.code == .format)
            #expect(error?.message.hasPrefix("dog.jpg \(words)") == true, "\(error?.message ?? "")")
        }
        for bytes in [good, picture] {
            let error = #expect(throws: DatasetError.self) {
                try ImageFile(bytes, named: "dog.jpg", limit: 15)
            }
            #expect(error?.message.contains("allowed: 1 to 15") == true, "\(error?.message ?? "")")
        }
    }

    @Test func damagedFilesAreReadOrRefused() throws {
        let originals = [
            try data(Self.colour), try data(Self.grey), try data(Self.cmyk),
            png(5, 3, [UInt8](repeating: 9, count: 45)), png(2, 1, [9, 8, 7, 255, 2, 2, 2, 0], type: 6),
        ]
        let fault = fuzz(originals, tokens: ["IHDR", "IDAT", "PLTE", "tRNS", "JFIF"], rounds: 5000) { data in
            let file = try ImageFile(data, named: "x.png", limit: 1 << 16)
            #expect(file.pixels.count == file.width * file.height * 3 && file.pixels.count <= 3 << 16)
        } allows: {
            ($0 as? DatasetError)?.message.hasPrefix("x.png ") == true
        }
        #expect(fault == nil)
    }

    /// Smaller, larger and stretched, against PyTorch's antialiased interpolation: at most one apart, by rounding.
    @Test func sizesChangeAsPyTorchChangesThem() throws {
        struct Case: Codable {
            var pixels: [UInt8]
            var size: [Int]
            var target: [Int]
        }
        var random = SeededGenerator()
        let cases = [([9, 14], [5, 5]), ([8, 8], [3, 11]), ([5, 7], [10, 9]), ([6, 6], [6, 6])].map {
            size, target in
            Case(
                pixels: (0..<size[0] * size[1] * 3).map { _ in UInt8.random(in: 0...255, using: &random) },
                size: size, target: target)
        }
        let expected: [[Double]] = try runPython(
            script: """
                import sys, json, torch, torch.nn.functional as F
                out = []
                for c in json.load(open(sys.argv[1])):
                    x = torch.tensor(c["pixels"]).float().reshape(1, *c["size"], 3).permute(0, 3, 1, 2)
                    y = F.interpolate(x, size=c["target"], mode="bilinear", antialias=True, align_corners=False)
                    out.append(y.flatten().tolist())
                json.dump(out, open(sys.argv[2], "w"))
                """, input: cases)
        for (item, values) in zip(cases, expected) {
            let file = try ImageFile(
                png(item.size[1], item.size[0], item.pixels), named: "a.png")
            let planes = file.planes(height: item.target[0], width: item.target[1], channels: 3)
            let worst = zip(planes, values).map { abs(Double($0) - $1) }.max()!
            #expect(planes.count == values.count && worst <= 0.51, "\(item.size): \(worst)")
        }
        let grey = try ImageFile(png(1, 1, [100, 50, 200]), named: "a.png")
        #expect(grey.planes(height: 1, width: 1, channels: 1) == [82])
    }

    // MARK: Folders

    private func folder(_ files: [(String, Data)]) throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        for (name, contents) in files {
            let url = directory.file(name)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try contents.write(to: url)
        }
        return directory
    }

    private func source(_ json: String) throws -> ImageFolder {
        try JSONDecoder().decode(ImageFolder.self, from: Data(json.utf8))
    }

    private func flat(_ value: UInt8, _ width: Int = 6, _ height: Int = 4) -> Data {
        png(width, height, [UInt8](repeating: value, count: width * height * 3))
    }

    private func features(_ split: DataSplit) -> [Float] {
        var features = [Float](repeating: 0, count: split.count * split.exampleSize)
        var labels = [Int64](repeating: 0, count: split.count)
        features.withUnsafeMutableBufferPointer { features in
            labels.withUnsafeMutableBufferPointer {
                split.copyBatch(Array(0..<split.count)[...], into: features, labels: $0)
            }
        }
        return features
    }

    @Test func aFolderPerClassIsRead() throws {
        let directory = try folder([
            ("train/dog/b.png", flat(51)), ("train/dog/a.PNG", flat(102)), ("train/cat/x.jpeg", flat(204)),
            ("train/cat/notes.txt", Data()), ("train/.hidden/x.png", flat(0)), ("test/cat/1.png", flat(0)),
            ("test/dog/1.png", flat(255)),
        ])
        let data = try source(
            """
            {"train": "\(directory.url.path)/train", "test": "\(directory.url.path)/test", "size": [2, 3],
             "mean": [0, 0.5, 1], "deviation": 0.5}
            """
        ).load(from: DataLocations(environment: [:]))
        #expect(data.classNames == ["cat", "dog"] && data.inputShape == [3, 2, 3] && data.warnings.isEmpty)
        #expect(data.train.labels == [0, 1, 1] && data.test.labels == [0, 1])
        let values = features(data.train)
        for (example, byte) in [204, 102, 51].enumerated() {
            for (channel, mean) in [Float(0), 0.5, 1].enumerated() {
                for pixel in 0..<6 {
                    #expect(
                        values[example * 18 + channel * 6 + pixel] == (Float(byte) / 255 - mean) / 0.5)
                }
            }
        }
    }

    @Test func otherProportionsAreCroppedOrStretched() throws {
        // Dark sides, a bright middle.
        let row =
            [UInt8](repeating: 0, count: 6) + [UInt8](repeating: 200, count: 6)
            + [UInt8](repeating: 0, count: 6)
        let file = png(6, 2, row + row)
        let directory = try folder([
            ("a/1.png", file), ("a/2.png", file), ("b/1.png", file), ("b/2.png", file),
        ])
        func pixels(_ fit: String) throws -> [Float] {
            let data = try source(
                """
                {"train": "\(directory.url.path)", "size": 2, "channels": 1, "fit": "\(fit)", "mean": 0,
                 "deviation": 1}
                """
            ).load(from: DataLocations(environment: [:]))
            #expect((data.train.count, data.test.count) == (2, 2) && data.test.labels == [0, 1])
            return features(data.train)
        }
        #expect(try pixels("crop").allSatisfy { $0 == Float(200) / 255 })
        #expect(try pixels("stretch").allSatisfy { $0 < 0.5 && $0 > 0.1 })
    }

    @Test func whatCannotBeReadIsRefusedOrSkipped() throws {
        let directory = try folder([
            ("a/1.png", flat(1)), ("a/2.png", flat(2)), ("b/1.png", flat(3)), ("b/2.png", flat(4)),
            ("b/bad.jpg", Data("no image".utf8)),
        ])
        func load(_ rule: String) throws -> Dataset {
            try source(
                "{\"train\": \"\(directory.url.path)\", \"size\": 2, \"unreadable\": \"\(rule)\"}"
            ).load(from: DataLocations(environment: [:]))
        }
        let error = #expect(throws: DatasetError.self) { try load("refuse") }
        #expect(error?.code == .format && error?.message.contains("/b/bad.jpg is neither") == true)
        let data = try load("skip")
        #expect(data.train.count + data.test.count == 4)
        #expect(data.warnings.count == 1)
        #expect(data.warnings[0].hasPrefix("1 of 5 images were left out: "))
        #expect(data.warnings[0].contains("/b/bad.jpg"))
        #expect(try data.carvingValidation(count: 1).warnings == data.warnings)
    }

    @Test func foldersThatDoNotFitAreNamed() throws {
        let directory = try folder([
            ("one/a/1.png", flat(1)), ("two/a/1.png", flat(1)), ("two/b/1.png", flat(1)),
            ("other/a/1.png", flat(1)), ("other/c/1.png", flat(1)), ("none/a/1.png", flat(1)),
            ("none/b/x.txt", Data()), ("bad/a/1.png", flat(1)), ("bad/b/1.png", Data("x".utf8)),
        ])
        for (train, test, words) in [
            ("nowhere", "two", "nowhere cannot be read"), ("one", "two", "has 1 folders (a)"),
            ("two", "other", "other/c is a class that the training images do not have"),
            ("none", "two", "none/b has no PNG or JPEG file"), ("bad", "two", "bad/b has no image"),
            ("two", "", "has 1 image; allowed without a test folder"),
        ] {
            let path = directory.url.path
            let place = test.isEmpty ? "" : "\"test\": \"\(path)/\(test)\","
            let source = try source(
                "{\"train\": \"\(path)/\(train)\", \(place) \"size\": 2, \"unreadable\": \"skip\"}")
            let error = #expect(throws: DatasetError.self) {
                try source.load(from: DataLocations(environment: [:]))
            }
            #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
        }
    }

    @Test(arguments: [
        ("\"size\": 0", "is [0, 0]; allowed: one number"), ("\"size\": [1, 2, 3]", "is [1, 2, 3]"),
        ("\"size\": 2, \"channels\": 4", "is 4; allowed: 1, 3"),
        ("\"size\": 2, \"mean\": [0, 1]", "one for each of the 3 channels"),
        ("\"size\": 2, \"deviation\": 0", "above 0"),
        ("\"size\": 2, \"testFraction\": 1", "is 1.0; allowed: more than 0, less than 1"),
    ])
    func badSettingsAreNamed(settings: String, words: String) {
        let error = #expect(throws: DecodingError.self) { try source("{\"train\": \"x\", \(settings)}") }
        guard case .dataCorrupted(let context) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(context.debugDescription.contains(words), "\(context.debugDescription)")
    }
}
