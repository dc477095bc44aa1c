import Foundation
import Safetensors
import TestSupport
import Testing

@Suite struct RoundTripTests {
    @Test func everyTypeSurvives() throws {
        let directory = try TemporaryDirectory()
        var tensors: [TensorEntry] = []
        for (number, type) in TensorType.allCases.enumerated() {
            let shape = [number % 3 + 1, 2]
            let bytes = (0..<type.byteCount(of: shape)!).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ number) }
            tensors.append(try TensorEntry(name: "t\(number)", type: type, shape: shape, data: Data(bytes)))
        }
        tensors.append(try TensorEntry(name: "scalar", shape: [], floats: [1.5]))
        tensors.append(try TensorEntry(name: "empty", shape: [0, 7], floats: []))
        let metadata = ["format": "pt", "quotes \"\\\n\u{1}": "é 🙂 \u{7F}"]
        let url = directory.file("all.safetensors")
        try SafetensorsFile(tensors: tensors, metadata: metadata).write(to: url)

        let read = try SafetensorsFile(contentsOf: url)
        #expect(read.tensors == tensors)
        #expect(read.metadata == metadata)
        #expect(try read.encoded() == Data(contentsOf: url))
        #expect(try directory.names() == ["all.safetensors"])
    }

    @Test func dataAreAlignedToTheElements() throws {
        let file = try SafetensorsFile(tensors: [
            TensorEntry(name: "odd", shape: [3], bytes: [1, 2, 3]),
            TensorEntry(name: "float", shape: [1], floats: [4]),
            TensorEntry(name: "double", shape: [1], doubles: [5]),
        ])
        let encoded = try file.encoded()
        let header = encoded.withUnsafeBytes { Int($0.load(as: UInt64.self)) }
        #expect(header % 8 == 0)
        let data = encoded.suffix(from: 8 + header)
        #expect(data.count == 15)
        #expect(data.suffix(3) == Data([1, 2, 3]))
        #expect(try SafetensorsFile(data: encoded).tensors.map(\.name) == ["odd", "float", "double"])
    }

    @Test func valuesAreReadAsNumbers() throws {
        let file = try SafetensorsFile(tensors: [
            TensorEntry(name: "f", shape: [2], floats: [.pi, -.infinity]),
            TensorEntry(name: "d", shape: [2], doubles: [.pi, -0.0]),
            TensorEntry(name: "i", shape: [2], integers: [.min, .max]),
            TensorEntry(name: "b", type: .bfloat16, shape: [2], data: Data([0x80, 0x3F, 0x20, 0xC0])),
            TensorEntry(name: "h", type: .float16, shape: [1], data: Data([0x00, 0x3E])),
        ])
        #expect(try file.tensor("f").floats() == [.pi, -.infinity])
        #expect(try file.tensor("d").doubles() == [.pi, -0.0])
        #expect(try file.tensor("d").floats() == [Float(Double.pi), -0.0])
        #expect(try file.tensor("i").integers() == [.min, .max])
        #expect(try file.tensor("b").floats() == [1, -2.5])
        #expect(try file.tensor("h").floats() == [1.5])
        #expect(throws: SafetensorsError.self) { try file.tensor("i").floats() }
    }

    /// The exact bytes of a small file, so that a change of the format cannot hide in a round trip.
    @Test func bytesAreThoseOfTheFormat() throws {
        let file = try SafetensorsFile(
            tensors: [TensorEntry(name: "w", shape: [1], floats: [1])], metadata: ["k": "v"])
        let json = #"{"__metadata__":{"k":"v"},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#
        let padded = json + String(repeating: " ", count: (8 - json.utf8.count % 8) % 8)
        let expected =
            Data([UInt8(padded.utf8.count), 0, 0, 0, 0, 0, 0, 0]) + Data(padded.utf8)
            + Data([0, 0, 0x80, 0x3F])
        #expect(try file.encoded() == expected)
    }

    @Test func piecesOfASourceAreJoined() throws {
        let directory = try TemporaryDirectory()
        let source = TensorSource(name: "w", type: .uint8, shape: [4]) { write in
            for byte: UInt8 in 1...4 { try withUnsafeBytes(of: byte) { try write($0) } }
        }
        let url = directory.file("w.safetensors")
        try SafetensorsFile.write([source], to: url)
        #expect(try SafetensorsFile(contentsOf: url).tensor("w").data == Data([1, 2, 3, 4]))
    }

    @Test(arguments: [0, 3, 5]) func aSourceOfAnotherSizeIsRefused(handedOver: Int) throws {
        let directory = try TemporaryDirectory()
        let url = directory.file("w.safetensors")
        try Data("old".utf8).write(to: url)
        let source = TensorSource(name: "w", type: .uint8, shape: [4]) { write in
            try [UInt8](repeating: 1, count: handedOver).withUnsafeBytes { try write($0) }
        }
        let error = #expect(throws: SafetensorsError.self) { try SafetensorsFile.write([source], to: url) }
        #expect(error?.code == .shape)
        #expect(error?.message.contains("'w' handed over \(handedOver) bytes") == true)
        #expect(try Data(contentsOf: url) == Data("old".utf8))
        #expect(try directory.names() == ["w.safetensors"])
    }

    @Test func namesMustBeUniqueAndUnreserved() throws {
        let twice = try TensorEntry(name: "w", shape: [1], floats: [1])
        let reserved = try TensorEntry(name: "__metadata__", shape: [1], floats: [1])
        for tensors in [[twice, twice], [reserved]] {
            let error = #expect(throws: SafetensorsError.self) { try SafetensorsFile(tensors: tensors) }
            #expect(error?.code == .name)
            #expect(throws: SafetensorsError.self) {
                try SafetensorsFile.encode(tensors.map(TensorSource.init)) { _ in }
            }
        }
    }

    @Test func aWrongTensorIsNamed() throws {
        let file = try SafetensorsFile(tensors: [TensorEntry(name: "w", shape: [2], floats: [1, 2])])
        let absent = #expect(throws: SafetensorsError.self) { try file.tensor("v") }
        #expect(absent?.message == "safetensors: no tensor 'v'; it holds 'w'")
        let shape = #expect(throws: SafetensorsError.self) { try file.tensor("w", shape: [1, 2]) }
        #expect(shape?.message == "safetensors: tensor 'w' has shape [2]; expected [1, 2]")
        let type = #expect(throws: SafetensorsError.self) { try file.tensor("w", type: .float64) }
        #expect(type?.message == "safetensors: tensor 'w' has element type F32; expected F64")
        #expect(throws: SafetensorsError.self) {
            try TensorEntry(name: "w", type: .float32, shape: [3], data: Data(count: 8))
        }
        #expect(throws: SafetensorsError.self) {
            try TensorEntry(name: "w", type: .float32, shape: [-1], data: Data())
        }
    }
}
