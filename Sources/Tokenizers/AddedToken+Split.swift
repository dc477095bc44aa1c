extension Tokenizer.AddedToken {
    /// A stretch of a text.
    enum Part {
        case text(Substring)
        case token(Int)
    }

    /// Cuts a text at the added tokens in it: first at those that stand for the text as it is, then what is left at those
    /// that stand for the normalised text, as Hugging Face's reader does. Of each kind the leftmost comes first, of several
    /// at one place the longest.
    static func split(_ text: String, at added: [Tokenizer.AddedToken]) -> [Part] {
        let exact = split(text[...], at: added.filter { !$0.isNormalised })
        let normalised = added.filter(\.isNormalised)
        guard !normalised.isEmpty else { return exact }
        return exact.flatMap { part in
            if case .text(let text) = part { split(text, at: normalised) } else { [part] }
        }
    }

    private static func split(_ text: Substring, at added: [Tokenizer.AddedToken]) -> [Part] {
        let needles = added.map { (bytes: Array($0.text.utf8), token: $0.token) }
            .sorted { $0.bytes.count > $1.bytes.count }
        let firsts = Set(needles.map { $0.bytes[0] })
        guard !needles.isEmpty else { return text.isEmpty ? [] : [.text(text)] }
        var parts: [Part] = []
        let bytes = text.utf8
        var start = bytes.startIndex
        var here = start
        while here < bytes.endIndex {
            if firsts.contains(bytes[here]),
                let found = needles.first(where: { bytes[here...].starts(with: $0.bytes) })
            {
                if start < here { parts.append(.text(text[start..<here])) }
                parts.append(.token(found.token))
                here = bytes.index(here, offsetBy: found.bytes.count)
                start = here
            } else {
                bytes.formIndex(after: &here)
            }
        }
        if start < here { parts.append(.text(text[start..<here])) }
        return parts
    }
}
