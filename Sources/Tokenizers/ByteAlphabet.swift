/// The 256 characters that stand for the bytes in the files of a byte-level vocabulary.
///
/// Printable Latin-1 characters stand for themselves (33–126, 161–172, 174–255); the others, in order, for U+0100,
/// U+0101…, so that a space is `Ġ` and a line's end `Ċ`. Source: Radford and others 2019, Language models are unsupervised
/// multitask learners (the published `encoder.json`).
enum ByteAlphabet {
    /// By byte.
    static let characters: [Unicode.Scalar] = {
        var next: UInt32 = 0x100
        return (0...255).map { (byte: UInt32) in
            switch byte {
            case 33...126, 161...172, 174...255: return Unicode.Scalar(byte)!
            default:
                defer { next += 1 }
                return Unicode.Scalar(next)!
            }
        }
    }()

    private static let bytes: [Unicode.Scalar: UInt8] = Dictionary(
        uniqueKeysWithValues: characters.enumerated().map { ($0.element, UInt8($0.offset)) })

    /// The bytes that a token of a file stands for; nil if a character is none of the alphabet.
    static func decode(_ token: String) -> [UInt8]? {
        var decoded: [UInt8] = []
        for scalar in token.unicodeScalars {
            guard let byte = bytes[scalar] else { return nil }
            decoded.append(byte)
        }
        return decoded
    }
}
