import CZlib
import Foundation

/// Inflates gzip and zlib streams, strictly.
public enum Gzip {
    /// Whether the data begin as a gzip stream does.
    public static func isCompressed(_ data: Data) -> Bool {
        data.starts(with: [0x1F, 0x8B])
    }

    /// The inflated contents of `data`: one gzip or zlib stream, or several gzip streams in a row.
    ///
    /// - Parameters:
    ///   - data: the whole compressed file.
    ///   - limit: the greatest number of bytes to inflate to; protects from hostile files.
    ///   - name: what errors call the data.
    /// - Throws: ``DatasetError`` if the stream is damaged, truncated, followed by other bytes, or inflates
    ///   beyond `limit`.
    public static func inflate(_ data: Data, limit: Int, named name: String) throws -> Data {
        var stream = z_stream()
        // 15 is the largest window; 32 lets zlib find out which of the two headers there is.
        let status = inflateInit2_(&stream, 15 + 32, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(status == Z_OK, "zlib cannot start (\(status))")
        defer { inflateEnd(&stream) }
        let isGzip = isCompressed(data)
        return try data.withUnsafeBytes { input in
            var result = Data(capacity: min(limit, expectedCount(input)))
            var buffer = [UInt8](repeating: 0, count: 1 << 18)
            var consumed = 0
            while true {
                let available = min(input.count - consumed, 1 << 30)
                let (status, read, made) = buffer.withUnsafeMutableBufferPointer { output in
                    // zlib does not write to its input, though its declaration does not say so.
                    stream.next_in = UnsafeMutablePointer(
                        mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self).advanced(
                            by: consumed))
                    stream.avail_in = UInt32(available)
                    stream.next_out = output.baseAddress
                    stream.avail_out = UInt32(output.count)
                    let status = CZlib.inflate(&stream, Z_NO_FLUSH)
                    return (status, available - Int(stream.avail_in), output.count - Int(stream.avail_out))
                }
                consumed += read
                guard result.count + made <= limit else {
                    throw DatasetError(
                        .format, "\(name): the compressed data inflate to more than \(limit) bytes")
                }
                result.append(contentsOf: buffer[..<made])
                switch status {
                case Z_OK: continue
                case Z_STREAM_END where consumed == input.count: return result
                case Z_STREAM_END where isGzip && input[consumed...].starts(with: [0x1F, 0x8B]):
                    inflateReset(&stream)
                case Z_STREAM_END:
                    throw DatasetError(
                        .format,
                        "\(name): \(input.count - consumed) bytes follow the compressed data, from byte \(consumed)"
                    )
                case Z_BUF_ERROR where consumed == input.count:
                    throw DatasetError(
                        .format, "\(name): the compressed data are truncated after \(input.count) bytes")
                default:
                    let reason = stream.msg.map { String(cString: $0) } ?? "zlib error \(status)"
                    throw DatasetError(
                        .format, "\(name): the compressed data are damaged near byte \(consumed): \(reason)")
                }
            }
        }
    }

    /// What the gzip trailer announces, as far as that can be true: deflate expands at most 1032-fold.
    private static func expectedCount(_ input: UnsafeRawBufferPointer) -> Int {
        guard input.count >= 18 else { return 0 }
        let announced = UInt32(
            littleEndian: input.loadUnaligned(fromByteOffset: input.count - 4, as: UInt32.self))
        return min(Int(announced), input.count * 1032)
    }
}
