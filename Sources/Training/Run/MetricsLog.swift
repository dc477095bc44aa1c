import Foundation
import Safetensors

/// `metrics.jsonl`: one ``MetricsRecord`` a line, appended as the run goes.
public final class MetricsLog {
    private let descriptor: Int32
    private let sink: FileSink

    /// Opens the log of a new run, or of one that goes on after `step`.
    ///
    /// Lines of later steps, and a line that a killed process left unfinished, are dropped: the run takes those
    /// steps again, with the same results.
    /// - Throws: `FileError`.
    public init(url: URL, keepingUpTo step: Int) throws {
        let path = url.path
        if FileManager.default.fileExists(atPath: path) {
            let text = String(decoding: try MappedFile.contents(of: url), as: UTF8.self)
            let lines = text.split(separator: "\n").filter { line in
                MetricsRecord.step(of: line).map { $0 <= step } ?? false
            }
            try AtomicFile.write(Data(lines.map { $0 + "\n" }.joined().utf8), to: url)
        }
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw FileError(path: path, operation: .create, errorNumber: errno) }
        sink = FileSink(descriptor: descriptor, path: path)
    }

    deinit { close(descriptor) }

    /// Appends one record; it survives the death of the process from here on.
    /// - Throws: `FileError`, for example on a full disk.
    public func append(_ record: MetricsRecord) throws { try sink.write(record.line) }
}
