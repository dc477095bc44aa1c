import Foundation
import Safetensors
import TestSupport
import Testing

/// Damaged files are read or refused; never a crash, never more memory than the file has.
@Suite struct FuzzTests {
    @Test func damagedSafetensors() throws {
        func file(_ header: String, data: Int) -> Data {
            withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) } + Data(header.utf8)
                + Data(repeating: 0x41, count: data)
        }
        let originals = [
            file("{}", data: 0),
            file(#"{"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}"#, data: 24),
            file(
                #"{"__metadata__":{"format":"pt"},"w\u00e9":{"dtype":"BF16","shape":[],"data_offsets":[0,2]},"b":{"dtype":"I64","shape":[2],"data_offsets":[2,18]}}"#,
                data: 18),
        ]
        let fault = fuzz(
            originals,
            tokens: ["F64", "\"shape\"", "data_offsets", "[", "]", "{", "}", ",", ":", "\"", "\\ud83d"],
            rounds: 20_000
        ) { data in
            let file = try SafetensorsFile(data: data, named: "x.st")
            for tensor in file.tensors {
                #expect(tensor.data.count <= data.count)
            }
        } allows: {
            ($0 as? SafetensorsError)?.message.hasPrefix("x.st") == true
        }
        #expect(fault == nil)
    }
}
