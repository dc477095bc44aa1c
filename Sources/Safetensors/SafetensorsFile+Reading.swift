import Foundation

extension SafetensorsFile {
    /// Reads and checks everything about `data` that the format promises.
    static func decode(_ data: Data) throws -> (tensors: [TensorEntry], metadata: [String: String]) {
        guard data.count >= 8 else {
            throw SafetensorsError(
                .length, "\(data.count) bytes are too few: the header length alone takes 8")
        }
        let announced = UInt64(littleEndian: data.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) })
        guard announced <= maximumHeaderLength else {
            throw SafetensorsError(
                .length,
                "header length \(announced) is above the greatest allowed, \(maximumHeaderLength)")
        }
        guard announced <= data.count - 8 else {
            throw SafetensorsError(
                .length, "header length \(announced) runs past the end of the file of \(data.count) bytes")
        }
        let dataStart = 8 + Int(announced)
        let (items, metadata) = try data.withUnsafeBytes { bytes in
            try HeaderParser.parse(UnsafeRawBufferPointer(rebasing: bytes[8..<dataStart]))
        }
        let types = try items.map(checkedType)
        try checkOffsets(of: items, available: data.count - dataStart)
        let start = data.startIndex + dataStart
        let tensors = zip(items, types).map { item, type in
            TensorEntry(
                name: item.name, type: type, shape: item.shape,
                checked: data[start + item.begin..<start + item.end])
        }
        return (tensors, metadata)
    }

    /// The item's type, if its shape and offsets agree on the number of bytes.
    private static func checkedType(of item: HeaderParser.Item) throws -> TensorType {
        guard let type = TensorType(rawValue: item.type) else {
            let allowed = TensorType.allCases.map(\.rawValue).joined(separator: ", ")
            throw SafetensorsError(
                .type, "tensor '\(item.name)' has unknown dtype '\(item.type)'; allowed: \(allowed)")
        }
        guard let size = type.byteCount(of: item.shape) else {
            throw SafetensorsError(
                .shape, "tensor '\(item.name)' has shape \(item.shape), whose size overflows")
        }
        guard item.begin <= item.end else {
            throw SafetensorsError(
                .offsets,
                "tensor '\(item.name)' has data_offsets [\(item.begin), \(item.end)], end before begin")
        }
        guard item.end - item.begin == size else {
            throw SafetensorsError(
                .shape,
                "tensor '\(item.name)' spans \(item.end - item.begin) bytes, "
                    + "but \(item.type) of shape \(item.shape) has \(size)")
        }
        return type
    }

    /// Checks that the tensors fill the data exactly: no gap, no overlap, nothing beyond.
    private static func checkOffsets(of items: [HeaderParser.Item], available: Int) throws {
        var position = 0
        for item in items.sorted(by: { ($0.begin, $0.end) < ($1.begin, $1.end) }) {
            guard item.begin == position else {
                let what = item.begin < position ? "overlaps the tensor before it" : "leaves a gap before it"
                throw SafetensorsError(
                    .offsets,
                    "tensor '\(item.name)' begins at \(item.begin) and \(what); expected \(position)")
            }
            position = item.end
        }
        guard position == available else {
            let what =
                position > available ? "the file is truncated" : "there are bytes after the last tensor"
            throw SafetensorsError(
                .length, "the tensors take \(position) bytes, but \(available) follow the header: \(what)")
        }
    }
}
