import Foundation
import Safetensors
import TestSupport
import Testing
import Training

@Suite struct TensorBoardTests {
    /// The vectors of RFC 3720, section B.4, and the usual check word of the algorithm.
    @Test func checksumsAreThePublishedOnes() {
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(CRC32C.checksum((0..<32).map { UInt8($0) }) == 0x46DD_794E)
        #expect(CRC32C.checksum((0..<32).map { UInt8(31 - $0) }) == 0x113F_DB5C)
        #expect(CRC32C.checksum("123456789".utf8) == 0xE306_9283)
        #expect(CRC32C.checksum([]) == 0)
    }

    /// What tensorboard 2.21.0 itself (`RecordWriter` and its generated messages, in Python) writes for a
    /// version event at time 1700000000.25, a session start at step 40, and two scalars at step 1234567890123:
    ///
    ///     Event(wall_time=1700000000.25, file_version="brain.Event:2", source_metadata=("peo"))
    ///     Event(wall_time=1700000000.75, step=40, session_log=START)
    ///     Event(wall_time=1700000000.5, step=1234567890123,
    ///           summary=[("train/loss", 0.1), ("accuracy é", inf)])
    private static let reference = """
        1f00000000000000514b44180900001040fc54d9411a0d627261696e2e4576656e743a3252050a0370656f5d14f1d70f0000
        00000000006d532b090900003040fc54d94110283a020801bbca297839000000000000008b0737f10900002040fc54d94110
        cb89ec8ff7232a270a110a0a747261696e2f6c6f737315cdcccc3d0a120a0b616363757261637920c3a9150000807f2c4c17
        ea
        """

    @Test func bytesAreThoseOfTensorBoard() throws {
        let directory = try TemporaryDirectory()
        var times = [1_700_000_000.5, 1_700_000_000.75, 1_700_000_000.25]
        // The constructor asks the clock once; the reference wants two times there, so two logs are made.
        let first = try TensorBoardLog(directory: directory.url) { times.popLast()! }
        let resumed = try TensorBoardLog(directory: directory.url, keepingUpTo: 39) { times.popLast()! }
        try resumed.append(step: 1_234_567_890_123, values: [("train/loss", 0.1), ("accuracy é", .infinity)])
        let versionEvent = try Data(contentsOf: first.url)
        let session = try Data(contentsOf: resumed.url)
        #expect(session.prefix(versionEvent.count) != versionEvent, "the times differ")
        let written = versionEvent + session.dropFirst(versionEvent.count)
        let expected = Self.reference.filter { !$0.isWhitespace }
        #expect(written.map { String(format: "%02x", $0) }.joined() == expected)
    }

    @Test func everySessionHasItsOwnFile() throws {
        let directory = try TemporaryDirectory()
        let logs = try (0..<3).map { _ in try TensorBoardLog(directory: directory.url) { 1_700_000_000 } }
        #expect(Set(logs.map(\.url)).count == 3)
        let names = try directory.names()
        #expect(names.count == 3)
        for (number, name) in names.enumerated() {
            let parts = name.split(separator: ".")
            #expect(parts.prefix(4) == ["events", "out", "tfevents", "1700000000"])
            #expect(parts.suffix(2) == ["\(getpid())", "\(number)"])
        }
    }

    @Test func recordsAreGroupedByKind() throws {
        let directory = try TemporaryDirectory()
        let log = try TensorBoardLog(directory: directory.url)
        try log.append(
            MetricsRecord(kind: .validation, step: 7, epoch: 0, values: [("loss", 0.5), ("accuracy", .nan)]))
        let events = try payloads(of: Data(contentsOf: log.url))
        #expect(events.count == 2)
        let text = String(decoding: events[1], as: UTF8.self)
        #expect(text.contains("validation/loss") && text.contains("validation/accuracy"))
    }

    @Test func aFrameHidesNoDamage() throws {
        let frame = TFRecord.frame(Array("payload".utf8))
        #expect(try payloads(of: frame) == [Array("payload".utf8)])
        #expect(try payloads(of: TFRecord.frame([])) == [[]])
        for position in frame.indices {
            var damaged = frame
            damaged[position] ^= 0x10
            #expect(throws: (any Error).self) { try payloads(of: damaged) }
        }
    }

    @Test func aMissingDirectoryIsNamed() throws {
        let directory = try TemporaryDirectory()
        let error = #expect(throws: FileError.self) { try TensorBoardLog(directory: directory.file("none")) }
        #expect(error?.reason == .missing)
        #expect(error?.path.contains("none/events.out.tfevents") == true)
    }

    private struct Damaged: Error {}

    /// A reader of frames that shares no code with the writer: the check is computed bit by bit.
    private func payloads(of data: Data) throws -> [[UInt8]] {
        func check(_ bytes: some Sequence<UInt8>) -> UInt32 {
            var register = ~UInt32(0)
            for byte in bytes {
                for bit in 0..<8 {
                    let feedback = (register ^ UInt32(byte >> bit)) & 1
                    register >>= 1
                    if feedback == 1 { register ^= 0x82F6_3B78 }
                }
            }
            register = ~register
            return (register >> 15 | register << 17) &+ 0xA282_EAD8
        }
        var rest = [UInt8](data)
        func take(_ count: Int) throws -> [UInt8] {
            guard count <= rest.count else { throw Damaged() }
            defer { rest.removeFirst(count) }
            return Array(rest.prefix(count))
        }
        func number(_ bytes: [UInt8]) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
        var result: [[UInt8]] = []
        while !rest.isEmpty {
            let length = try take(8)
            guard try number(take(4)) == UInt64(check(length)), number(length) < 1 << 30 else {
                throw Damaged()
            }
            let payload = try take(Int(number(length)))
            guard try number(take(4)) == UInt64(check(payload)) else { throw Damaged() }
            result.append(payload)
        }
        return result
    }
}
