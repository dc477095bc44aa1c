import Foundation

/// TensorFlow's record frame: length, its check, the payload, its check; all numbers little-endian.
package enum TFRecord {
    /// `payload` in its frame.
    package static func frame(_ payload: some Collection<UInt8>) -> Data {
        let length = withUnsafeBytes(of: UInt64(payload.count).littleEndian) { Data($0) }
        var record = length
        withUnsafeBytes(of: CRC32C.masked(length).littleEndian) { record.append(contentsOf: $0) }
        record.append(contentsOf: payload)
        withUnsafeBytes(of: CRC32C.masked(payload).littleEndian) { record.append(contentsOf: $0) }
        return record
    }
}
