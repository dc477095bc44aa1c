import Foundation

extension SafetensorsFile {
    /// Writes the file atomically and durably; see ``AtomicFile``.
    ///
    /// - Throws: ``FileError`` if it cannot be written; the old file is then untouched.
    public func write(to url: URL) throws {
        try Self.write(tensors.map(TensorSource.init), metadata: metadata, to: url)
    }

    /// The bytes of the file.
    public func encoded() throws -> Data {
        var data = Data()
        try Self.encode(tensors.map(TensorSource.init), metadata: metadata) { data.append(contentsOf: $0) }
        return data
    }

    /// Writes tensors from where they are, without a copy in memory, atomically and durably.
    ///
    /// - Throws: ``SafetensorsError`` if a name is given twice or a source hands over another number of
    ///   bytes than its type and shape have; ``FileError`` if the file cannot be written. In either case
    ///   the old file is untouched.
    public static func write(
        _ sources: [TensorSource], metadata: [String: String] = [:], to url: URL
    ) throws {
        try AtomicFile.write(to: url) { sink in
            try encode(sources, metadata: metadata) { try sink.write($0) }
        }
    }

    /// Hands the bytes of a file to `write`, piece by piece: to hash them on the way, for example.
    ///
    /// Tensors with larger elements come first in the data, so that every one is aligned to its element
    /// size; the header keeps the order of `sources`. Equal input gives equal bytes.
    public static func encode(
        _ sources: [TensorSource], metadata: [String: String] = [:],
        write: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let order = sources.indices.sorted {
            (-sources[$0].type.size, $0) < (-sources[$1].type.size, $1)
        }
        var spans = [Range<Int>](repeating: 0..<0, count: sources.count)
        var position = 0
        for index in order {
            let source = sources[index]
            guard let size = source.type.byteCount(of: source.shape), size <= Int.max - position else {
                throw SafetensorsError(
                    .shape, "tensor '\(source.name)' has shape \(source.shape), whose size is not valid")
            }
            spans[index] = position..<position + size
            position += size
        }

        let header = try header(of: sources, at: spans, metadata: metadata)
        try withUnsafeBytes(of: UInt64(header.count).littleEndian) { try write($0) }
        try header.withUnsafeBytes { try write($0) }
        for index in order {
            var rest = spans[index].count
            try sources[index].bytes { bytes in
                rest -= bytes.count
                if rest >= 0 { try write(bytes) }
            }
            guard rest == 0 else {
                throw SafetensorsError(
                    .shape,
                    "tensor '\(sources[index].name)' handed over \(spans[index].count - rest) bytes, but its "
                        + "type and shape have \(spans[index].count)")
            }
        }
    }

    /// The JSON header, padded with spaces so that the data start at a multiple of eight bytes.
    private static func header(
        of sources: [TensorSource], at spans: [Range<Int>], metadata: [String: String]
    ) throws -> [UInt8] {
        var members: [String] = []
        if !metadata.isEmpty {
            let pairs = metadata.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
            members.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
        }
        var names: Set<String> = []
        for (source, span) in zip(sources, spans) {
            try check(name: source.name, isNew: names.insert(source.name).inserted)
            let shape = source.shape.map(String.init).joined(separator: ",")
            members.append(
                "\(quoted(source.name)):{\"dtype\":\"\(source.type.rawValue)\",\"shape\":[\(shape)],"
                    + "\"data_offsets\":[\(span.lowerBound),\(span.upperBound)]}")
        }
        var header = Array("{\(members.joined(separator: ","))}".utf8)
        header += [UInt8](repeating: UInt8(ascii: " "), count: (8 - header.count % 8) % 8)
        guard header.count <= maximumHeaderLength else {
            throw SafetensorsError(
                .length,
                "the header has \(header.count) bytes, above the greatest allowed, \(maximumHeaderLength)")
        }
        return header
    }

    /// `text` as a JSON string.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\u{0}"..<"\u{20}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
