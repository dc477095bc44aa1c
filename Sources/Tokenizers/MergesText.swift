import Foundation
import Safetensors

/// A `merges.txt`: a pair to merge per line, of two tokens and one space.
struct MergesText {
    private(set) var pairs: [(String, String)] = []
    /// Each pair's line, from 1.
    private(set) var lines: [Int] = []
    let name: String

    init(_ url: URL) throws {
        name = url.lastPathComponent
        guard let text = String(data: try MappedFile.contents(of: url), encoding: .utf8) else {
            throw TokenizerError(.format, "\(name): it is not UTF-8 text")
        }
        for (number, line) in text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated()
        {
            let line = line.last == 0x0D ? line.dropLast() : line
            let text = String(Substring(line))
            if text.isEmpty || text.hasPrefix("#version") { continue }
            pairs.append(try Self.pair(text, "\(name), line \(number + 1)"))
            lines.append(number + 1)
        }
    }

    static func pair(_ text: String, _ place: String) throws -> (String, String) {
        let parts = text.utf8.split(separator: 0x20, omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }) else {
            throw TokenizerError(
                .format, "\(place): '\(text.prefix(60))' is no merge; allowed: two tokens and one space")
        }
        return (String(Substring(parts[0])), String(Substring(parts[1])))
    }
}
