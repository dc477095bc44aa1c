import Foundation
import Safetensors
import TestSupport
import Testing

@Suite struct HostileInputTests {
    /// A file with this header text and this many bytes of data.
    private func file(_ header: String, data: Int = 0) -> Data {
        withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) } + Data(header.utf8)
            + Data(count: data)
    }

    private static let cases: [(header: String, data: Int, code: SafetensorsError.Code, says: String)] = [
        ("", 0, .header, "expected '{'"),
        ("[]", 0, .header, "expected '{'"),
        ("{", 0, .header, "expected"),
        ("{} x", 0, .header, "after the closing brace"),
        (#"{"a""#, 0, .header, "expected ':'"),
        (#"{"a":1}"#, 0, .header, "expected '{'"),
        (#"{"a\q":{}}"#, 0, .header, "escape"),
        (#"{"a\ud800":{}}"#, 0, .header, "surrogate"),
        (#"{"a\u12"#, 0, .header, "four hexadecimal"),
        ("{\"a\n\":{}}", 0, .header, "control character"),
        (#"{"a":{"dtype":"F32","shape":[1]}}"#, 4, .header, "'a' needs data_offsets"),
        (#"{"a":{"shape":[1],"data_offsets":[0,4]}}"#, 4, .header, "'a' has no dtype"),
        (#"{"a":{"dtype":"F32","data_offsets":[0,4]}}"#, 4, .header, "'a' has no shape"),
        (#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, 4, .header, "whole numbers"),
        (#"{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}"#, 4, .header, "expected ']'"),
        (#"{"a":{"dtype":"F32","shape":[01],"data_offsets":[0,4]}}"#, 4, .header, "whole numbers"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}"#, 4, .header, "more than 2 numbers"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}"#, 4, .header, "unknown field 'x'"),
        (#"{"a":{"dtype":"F32","dtype":"F32"}}"#, 4, .header, "'dtype' twice"),
        (#"{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}}"#, 4, .header, "above"),
        (#"{"__metadata__":{"k":1}}"#, 0, .header, "expected"),
        (#"{"__metadata__":{"k":"v","k":"w"}}"#, 0, .header, "'k' is given twice"),
        (
            #"{"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}"#, 4, .type,
            "unknown dtype 'F31'; allowed"
        ),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, 4, .shape, "spans 4 bytes"),
        (
            #"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#, 0, .shape,
            "overflows"
        ),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, 4, .offsets, "end before begin"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8, .offsets, "gap"),
        (
            #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}"#,
            6, .offsets, "'b' begins at 2 and overlaps"
        ),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, 7, .length, "truncated"),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, 9, .length, "after the last tensor"),
        (
            #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#,
            2, .name, "'a' is given twice"
        ),
    ]

    @Test(arguments: cases.indices) func everyFlawIsNamed(index: Int) throws {
        let flaw = Self.cases[index]
        let data = file(flaw.header, data: flaw.data)
        let error = #expect(throws: SafetensorsError.self) { try SafetensorsFile(data: data, named: "x.st") }
        #expect(error?.code == flaw.code)
        #expect(error?.message.hasPrefix("x.st: ") == true)
        #expect(error?.message.contains(flaw.says) == true, "\(error?.message ?? "")")
    }

    @Test func headerLengthsAreBounded() throws {
        for count in 0..<8 {
            let error = #expect(throws: SafetensorsError.self) {
                try SafetensorsFile(data: Data(count: count))
            }
            #expect(error?.code == .length)
        }
        for length: UInt64 in [3, 100_000_001, 1 << 40, .max] {
            let data = withUnsafeBytes(of: length.littleEndian) { Data($0) } + Data("{}".utf8)
            let error = #expect(throws: SafetensorsError.self) { try SafetensorsFile(data: data) }
            #expect(error?.code == .length)
            #expect(error?.message.contains("\(length)") == true)
        }
    }

    @Test func rankIsBounded() throws {
        let shape = [String](repeating: "1", count: 65).joined(separator: ",")
        let data = file(#"{"a":{"dtype":"U8","shape":[\#(shape)],"data_offsets":[0,1]}}"#, data: 1)
        let error = #expect(throws: SafetensorsError.self) { try SafetensorsFile(data: data) }
        #expect(error?.message.contains("more than 64 numbers in shape") == true)
    }

    @Test func formsThatTheFormatAllowsAreRead() throws {
        let spaced =
            " { \"a\\u00e9\\ud83d\\ude42\\/\" : { \"shape\" : [ ] , \"data_offsets\" : [ 0 , 4 ] ,\n\t\"dtype\" : \"F32\" } } \n"
        let read = try SafetensorsFile(data: file(spaced, data: 4))
        #expect(read.tensors.map(\.name) == ["aé🙂/"])
        #expect(read.tensors[0].shape == [])
        #expect(try SafetensorsFile(data: file("{}")).tensors.isEmpty)
        // A slice of larger data has indices that do not start at zero.
        let slice = (Data(count: 5) + file(spaced, data: 4)).dropFirst(5)
        #expect(try SafetensorsFile(data: slice).tensor("aé🙂/").floats() == [0])
    }

    @Test func filesThatCannotBeReadAreNamed() throws {
        let directory = try TemporaryDirectory()
        let missing = #expect(throws: FileError.self) {
            try SafetensorsFile(contentsOf: directory.file("none.safetensors"))
        }
        #expect(missing?.reason == .missing)
        #expect(missing?.message.contains("none.safetensors") == true)
        let folder = #expect(throws: FileError.self) { try SafetensorsFile(contentsOf: directory.url) }
        #expect(folder?.reason == .notAFile)
        let pipe = directory.file("pipe")
        #expect(mkfifo(pipe.path, 0o600) == 0)
        let special = #expect(throws: FileError.self) { try SafetensorsFile(contentsOf: pipe) }
        #expect(special?.reason == .notAFile)
        let empty = directory.file("empty")
        try Data().write(to: empty)
        #expect(throws: SafetensorsError.self) { try SafetensorsFile(contentsOf: empty) }
    }

    /// Random damage gives an error or a file that is consistent in itself, never a crash.
    @Test func fuzz() throws {
        var random = SeededGenerator()
        let seed = random.seed
        let valid = try SafetensorsFile(
            tensors: [
                TensorEntry(name: "weight", shape: [3, 4], floats: .init(repeating: 1, count: 12)),
                TensorEntry(name: "count", shape: [], integers: [7]),
                TensorEntry(name: "mask", type: .bool, shape: [5], data: Data(count: 5)),
            ], metadata: ["format": "pt"]
        ).encoded()
        let headerEnd = valid.count - 61
        let tokens = [
            "{", "}", "[", "]", "\"", ":", ",", "0", "9", "18446744073709551616", "\\u", "-", " ", "\0",
        ]
        var refused = 0
        for round in 0..<20_000 {
            var bytes = [UInt8](valid)
            for _ in 0...Int.random(in: 0...3, using: &random) {
                switch Int.random(in: 0..<4, using: &random) {
                case 0:
                    bytes[Int.random(in: 0..<min(bytes.count, headerEnd), using: &random)] = UInt8.random(
                        in: .min ... .max, using: &random)
                case 1: bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
                case 2:
                    let position = Int.random(in: min(8, bytes.count)...bytes.count, using: &random)
                    bytes.insert(contentsOf: tokens.randomElement(using: &random)!.utf8, at: position)
                default:
                    let position = Int.random(in: 0..<bytes.count, using: &random)
                    bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                }
                if bytes.isEmpty { bytes = [0] }
            }
            do {
                let file = try SafetensorsFile(data: Data(bytes))
                let size = file.tensors.reduce(0) { $0 + $1.data.count }
                let header = bytes.withUnsafeBytes { Int($0.loadUnaligned(as: UInt64.self)) }
                #expect(size == bytes.count - 8 - header, "seed \(seed), round \(round)")
                #expect(file.tensors.allSatisfy { $0.type.byteCount(of: $0.shape) == $0.data.count })
            } catch is SafetensorsError {
                refused += 1
            }
        }
        #expect(refused > 5_000, "seed \(seed): the damage was too weak to test anything")
    }
}
