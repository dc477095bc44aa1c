/// The cyclic redundancy check CRC-32C (polynomial 0x1EDC6F41, reflected), which TFRecord frames carry.
///
/// Source: G. Castagnoli, S. Bräuer, M. Herrmann (1993); test vectors in RFC 3720, section B.4.
package enum CRC32C {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { rest, _ in rest >> 1 ^ (rest & 1 == 1 ? 0x82F6_3B78 : 0) }
    }

    /// The check of `bytes`.
    package static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
        ~bytes.reduce(~UInt32(0)) { rest, byte in
            rest >> 8 ^ table[Int(UInt8(truncatingIfNeeded: rest) ^ byte)]
        }
    }

    /// The check as TFRecord stores it: rotated and offset, so that a check of data that hold checks is sound.
    package static func masked(_ bytes: some Sequence<UInt8>) -> UInt32 {
        let sum = checksum(bytes)
        return (sum >> 15 | sum << 17) &+ 0xA282_EAD8
    }
}
