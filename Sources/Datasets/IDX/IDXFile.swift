import Foundation
import Safetensors

/// A file in the IDX format, the one that MNIST is published in: an array of numbers with its shape.
///
/// Two zero bytes, a byte for the element type, a byte for the rank, the extents as 32-bit big-endian
/// numbers, and the elements, big-endian and in row-major order. Files may be compressed by gzip.
/// Source: Y. LeCun, C. Cortes, C. Burges, *The MNIST database*.
public struct IDXFile: Sendable {
    /// The element type; the raw value is its code in the file.
    public enum ElementType: UInt8, Sendable, CaseIterable {
        case uint8 = 0x08
        case int8 = 0x09
        case int16 = 0x0B
        case int32 = 0x0C
        case float32 = 0x0D
        case float64 = 0x0E

        /// Bytes of one element.
        public var size: Int {
            switch self {
            case .uint8, .int8: 1
            case .int16: 2
            case .int32, .float32: 4
            case .float64: 8
            }
        }
    }

    /// The greatest number of bytes that a compressed file may inflate to, unless told otherwise: 4 GiB.
    public static let defaultLimit = 1 << 32

    public let type: ElementType
    /// The extents, first the number of examples; at least one.
    public let shape: [Int]
    /// The elements, big-endian.
    public let bytes: Data
    /// What errors call this file.
    public let name: String

    /// Reads and checks a file, compressed or not.
    ///
    /// - Throws: `FileError` if it cannot be read, ``DatasetError`` if it is not well-formed.
    public init(contentsOf url: URL, limit: Int = defaultLimit) throws {
        try self.init(data: try MappedFile.contents(of: url), named: url.path, limit: limit)
    }

    /// Checks contents that are in memory already, compressed or not.
    ///
    /// - Throws: ``DatasetError`` if they are not well-formed; the message names the value and what is
    ///   allowed.
    public init(data: Data, named name: String = "IDX data", limit: Int = defaultLimit) throws {
        let data = Gzip.isCompressed(data) ? try Gzip.inflate(data, limit: limit, named: name) : data
        func fail(_ what: String) -> DatasetError { DatasetError(.format, "\(name): \(what)") }
        let head = [UInt8](data.prefix(4))
        guard head.count == 4 else {
            throw fail("\(data.count) bytes are too few for an IDX file, whose magic number has 4")
        }
        guard head[0] == 0, head[1] == 0, let type = ElementType(rawValue: head[2]), head[3] > 0 else {
            let magic = head.map { Self.hexadecimal($0) }.joined(separator: " ")
            throw fail(
                "magic number \(magic) is not that of an IDX file; allowed: 00 00, a type of 08, 09, 0b, 0c, 0d "
                    + "or 0e, and a rank of 1 or more")
        }
        let rank = Int(head[3])
        let start = 4 + 4 * rank
        guard data.count >= start else {
            throw fail("the file is truncated: \(data.count) bytes, but \(rank) extents end at byte \(start)")
        }
        let shape = data.withUnsafeBytes { bytes in
            (0..<rank).map {
                Int(UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4 + 4 * $0, as: UInt32.self)))
            }
        }
        var size = type.size
        for extent in shape {
            let (product, overflow) = size.multipliedReportingOverflow(by: extent)
            guard !overflow else { throw fail("the size of shape \(shape) overflows") }
            size = product
        }
        guard data.count - start == size else {
            let what =
                data.count - start < size ? "the file is truncated" : "there are bytes after the elements"
            throw fail(
                "shape \(shape) takes \(size) bytes, but \(data.count - start) follow the header: \(what)")
        }
        self.type = type
        self.shape = shape
        self.name = name
        bytes = data.suffix(size)
    }

    /// The elements as `Float`.
    public func floats() -> [Float] {
        switch type {
        case .uint8: bytes.map { Float($0) }
        case .int8: bytes.map { Float(Int8(bitPattern: $0)) }
        case .int16: elements { Float(Int16(bigEndian: $0)) }
        case .int32: elements { Float(Int32(bigEndian: $0)) }
        case .float32: elements { Float(bitPattern: UInt32(bigEndian: $0)) }
        case .float64: elements { Float(Double(bitPattern: UInt64(bigEndian: $0))) }
        }
    }

    private func elements<Stored: BitwiseCopyable>(_ value: (Stored) -> Float) -> [Float] {
        bytes.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: type.size).map {
                value(bytes.loadUnaligned(fromByteOffset: $0, as: Stored.self))
            }
        }
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
}
