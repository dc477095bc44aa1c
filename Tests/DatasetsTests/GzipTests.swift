import CZlib
import Datasets
import Foundation
import TestSupport
import Testing

/// `data` as one gzip stream, made by zlib's own compressor.
func gzipped(_ data: Data) -> Data {
    var stream = z_stream()
    precondition(
        deflateInit2_(
            &stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size)) == Z_OK)
    defer { deflateEnd(&stream) }
    var input = [UInt8](data)
    var output = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(data.count))) + 32)
    let made = input.withUnsafeMutableBufferPointer { input in
        output.withUnsafeMutableBufferPointer { output in
            stream.next_in = input.baseAddress
            stream.avail_in = UInt32(input.count)
            stream.next_out = output.baseAddress
            stream.avail_out = UInt32(output.count)
            precondition(deflate(&stream, Z_FINISH) == Z_STREAM_END)
            return output.count - Int(stream.avail_out)
        }
    }
    return Data(output[..<made])
}

@Suite struct GzipTests {
    private let text = Data((0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 7) })

    @Test func contentsComeBack() throws {
        let packed = gzipped(text)
        #expect(Gzip.isCompressed(packed) && !Gzip.isCompressed(text))
        #expect(try Gzip.inflate(packed, limit: text.count, named: "t") == text)
        #expect(try Gzip.inflate(gzipped(Data()), limit: 0, named: "t") == Data())
        #expect(try Gzip.inflate(packed + gzipped(Data([9])), limit: 1 << 20, named: "t") == text + Data([9]))
        #expect(try Gzip.inflate((Data(count: 3) + packed).dropFirst(3), limit: 1 << 20, named: "t") == text)
    }

    @Test func damageIsNamed() throws {
        let packed = gzipped(text)
        func message(_ data: Data, limit: Int = 1 << 20) -> String {
            let error = #expect(throws: DatasetError.self) {
                try Gzip.inflate(data, limit: limit, named: "x.gz")
            }
            #expect(error?.code == .format)
            return error?.message ?? ""
        }
        #expect(message(packed.dropLast(1)).contains("x.gz: the compressed data are truncated"))
        #expect(message(packed.prefix(5)).contains("truncated after 5 bytes"))
        #expect(message(Data()).contains("truncated after 0 bytes"))
        #expect(message(packed + Data([0])).contains("1 bytes follow the compressed data"))
        #expect(message(packed, limit: text.count - 1).contains("more than \(text.count - 1) bytes"))
        var flipped = packed
        flipped[flipped.count - 6] ^= 1  // the checksum
        #expect(message(flipped).contains("incorrect data check"))
        #expect(message(Data("plain text".utf8)).contains("incorrect header check"))
    }

    /// A small file that announces or holds far more than its limit does not take the memory for it.
    @Test func aBombIsStoppedAtTheLimit() throws {
        let bomb = gzipped(Data(count: 50_000_000))
        #expect(bomb.count < 60_000)
        #expect(throws: DatasetError.self) { try Gzip.inflate(bomb, limit: 1_000_000, named: "bomb") }
    }
}
