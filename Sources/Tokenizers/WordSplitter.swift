/// Cuts a text into the words inside which GPT-2 merges bytes.
///
/// The words are the matches of
/// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`, which cover every text: a
/// contraction; or letters, digits or other signs with the space before them; or white space, of which the last
/// character is left to the word after it. Source: Radford and others 2019 (the published `encoder.py`).
enum WordSplitter {
    private enum Class { case letter, number, space, other }

    /// Whose characters are told apart: the version of Hugging Face's `tokenizers` 0.22.
    private static let unicodeVersion = 16

    /// White space is Unicode's property White_Space; letters and numbers are the general categories L and N.
    private static func classify(_ scalar: Unicode.Scalar) -> Class {
        if scalar.isASCII {
            switch scalar {
            case "a"..."z", "A"..."Z": return .letter
            case "0"..."9": return .number
            case " ", "\t"..."\r": return .space
            default: return .other
            }
        }
        let properties = scalar.properties
        // A character that the newest Unicode has and the reference has not is no letter there.
        guard let age = properties.age, age.major <= unicodeVersion else { return .other }
        if properties.isWhitespace { return .space }
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
            return .letter
        case .decimalNumber, .letterNumber, .otherNumber: return .number
        default: return .other
        }
    }

    private static let contractions: [[Unicode.Scalar]] = [
        ["s"], ["t"], ["r", "e"], ["v", "e"], ["m"], ["l", "l"], ["d"],
    ]

    /// Calls `body` with the words' places in the UTF-8 bytes, in order and without gaps.
    static func forEachWord(_ text: Substring, _ body: (Range<Int>) -> Void) {
        let scalars = Array(text.unicodeScalars)
        let classes = scalars.map(classify)
        var byte = 0
        var start = 0
        while start < scalars.count {
            let end = wordEnd(scalars, classes, from: start)
            let size = scalars[start..<end].reduce(0) { $0 + UTF8.width($1) }
            body(byte..<byte + size)
            byte += size
            start = end
        }
    }

    private static func wordEnd(_ scalars: [Unicode.Scalar], _ classes: [Class], from start: Int) -> Int {
        if scalars[start] == "'" {
            for contraction in contractions where scalars[(start + 1)...].starts(with: contraction) {
                return start + 1 + contraction.count
            }
        }
        func run(from first: Int) -> Int {
            classes[first...].firstIndex { $0 != classes[first] } ?? classes.count
        }
        guard classes[start] == .space else { return run(from: start) }
        if scalars[start] == " ", start + 1 < classes.count, classes[start + 1] != .space {
            return run(from: start + 1)
        }
        let end = run(from: start)
        return end == classes.count || end == start + 1 ? end : end - 1
    }
}

extension UTF8 {
    /// How many bytes a scalar takes.
    fileprivate static func width(_ scalar: Unicode.Scalar) -> Int {
        switch scalar.value {
        case 0..<0x80: 1
        case 0x80..<0x800: 2
        case 0x800..<0x10000: 3
        default: 4
        }
    }
}
