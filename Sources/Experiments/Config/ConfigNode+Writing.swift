extension ConfigNode {
    /// The tree as YAML text. Lists and mappings that fit stand on one line, as people write them.
    public func yaml() -> String {
        var lines: [String] = []
        write(into: &lines, indent: 0)
        return lines.joined(separator: "\n") + "\n"
    }

    /// The widest line that a nested value may fill in flow style.
    private static let width = 100

    private func write(into lines: inout [String], indent: Int) {
        let margin = String(repeating: "  ", count: indent)
        switch content {
        case .mapping(let entries) where !entries.isEmpty:
            for entry in entries {
                let key = margin + Self.text(.init(entry.key, quoted: !entry.key.isPlainConfigText)) + ":"
                let flow = entry.value.flow
                if indent > 0 || entry.value.isSmall, key.count + flow.count < Self.width {
                    lines.append("\(key) \(flow)")
                } else {
                    lines.append(key)
                    entry.value.write(into: &lines, indent: indent + 1)
                }
            }
        case .list(let items) where !items.isEmpty:
            for item in items {
                if margin.count + item.flow.count < Self.width {
                    lines.append("\(margin)- \(item.flow)")
                } else {
                    lines.append("\(margin)-")
                    item.write(into: &lines, indent: indent + 1)
                }
            }
        default: lines.append(margin + flow)
        }
    }

    /// Whether this is a scalar, or holds at most one value at each level, or is a list of scalars.
    private var isSmall: Bool {
        switch content {
        case .scalar: true
        case .list(let items): items.allSatisfy { if case .scalar = $0.content { true } else { false } }
        case .mapping(let entries): entries.isEmpty || flow.count < 60
        }
    }

    private var flow: String {
        switch content {
        case .scalar(let scalar): Self.text(scalar)
        case .list(let items): "[" + items.map(\.flow).joined(separator: ", ") + "]"
        case .mapping(let entries):
            "{"
                + entries.map {
                    Self.text(.init($0.key, quoted: !$0.key.isPlainConfigText)) + ": " + $0.value.flow
                }.joined(separator: ", ") + "}"
        }
    }

    private static func text(_ scalar: Scalar) -> String {
        guard scalar.quoted else { return scalar.text }
        var quoted = "\""
        for unicode in scalar.text.unicodeScalars {
            switch unicode {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            case "\r": quoted += "\\r"
            default:
                let code = unicode.value
                let printable =
                    (0x20..<0x7F).contains(code)
                    || (0xA0..<0xD800).contains(code) && code != 0x2028 && code != 0x2029
                if printable {
                    quoted.unicodeScalars.append(unicode)
                } else {
                    let digits = String(code, radix: 16, uppercase: true)
                    quoted += "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
                }
            }
        }
        return quoted + "\""
    }
}

extension String {
    /// Whether this text can stand unquoted in YAML and still be read as text: a plain word of letters, digits
    /// and `_ - . /`, which is no number, no truth value and no null.
    var isPlainConfigText: Bool {
        guard let first = utf8.first, first != UInt8(ascii: "-"), first != UInt8(ascii: ".") else {
            return false
        }
        let plain = utf8.allSatisfy {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || "_-./".utf8.contains($0)
        }
        let words = ["true", "false", "yes", "no", "on", "off", "null", "inf", "nan", "infinity"]
        return plain && !words.contains(lowercased()) && Double(self) == nil && !first.isDigit
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
}
