import Foundation
import Safetensors

/// `decisions.jsonl`: what a search has decided, in order. With the outcomes of its cells it is all that a search knows, so a
/// search that was killed goes on from there.
final class SearchJournal {
    /// A trial is to be measured on a rung. With a point where the trial is new.
    struct Decision: Codable {
        var trial: Int
        var rung: Int
        var point: [Double]?
        /// Which of the sampler's points it is.
        var draw: Int?
    }

    /// Those of the file, when it was opened.
    let decisions: [Decision]
    private let descriptor: Int32
    private let sink: FileSink

    /// Opens the file, or makes it. A last line that a killed process left unfinished is dropped.
    /// - Throws: `FileError`.
    init(_ url: URL) throws {
        var kept: [Decision] = []
        if FileManager.default.fileExists(atPath: url.path) {
            let text = String(decoding: try MappedFile.contents(of: url), as: UTF8.self)
            for line in text.split(separator: "\n") {
                guard let decision = try? JSONDecoder().decode(Decision.self, from: Data(line.utf8)) else {
                    break
                }
                kept.append(decision)
            }
            try AtomicFile.write(Data(try kept.map(Self.line).joined().utf8), to: url)
        }
        decisions = kept
        descriptor = open(url.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw FileError(path: url.path, operation: .create, errorNumber: errno)
        }
        sink = FileSink(descriptor: descriptor, path: url.path)
    }

    deinit { close(descriptor) }

    func append(_ decision: Decision) throws { try sink.write(try Self.line(decision)) }

    private static func line(_ decision: Decision) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(decision), as: UTF8.self) + "\n"
    }
}
