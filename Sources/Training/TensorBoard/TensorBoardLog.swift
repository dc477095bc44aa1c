import Foundation
import Safetensors
import SwiftProtobuf

/// Writes scalars for TensorBoard: `tensorboard --logdir runs` draws them.
///
/// Every session on a run writes a file of its own, `events.out.tfevents.SECONDS.HOST.PROCESS.NUMBER`, and
/// never touches those of earlier ones. A session that goes on from a checkpoint tells TensorBoard to forget
/// what came after it. Each append is one write: a killed process leaves whole events, and a full disk at most
/// a last piece, which readers ignore.
///
/// ```swift
/// let log = try TensorBoardLog(directory: run)
/// try log.append(step: 100, values: [("train/loss", 0.25), ("train/accuracy", 0.93)])
/// ```
public final class TensorBoardLog {
    /// The file of this session.
    public let url: URL
    private let descriptor: Int32
    private let sink: FileSink
    private let now: () -> Double

    /// Makes the file of a new session.
    ///
    /// - Parameters:
    ///   - directory: where the file goes; it must exist.
    ///   - step: the step that the session goes on after; `nil` (default) for a run's first session.
    ///   - now: seconds since 1970; stands in for the clock in tests.
    /// - Throws: `FileError` if the file cannot be made.
    public init(
        directory: URL, keepingUpTo step: Int? = nil,
        now: @escaping () -> Double = { Date().timeIntervalSince1970 }
    ) throws {
        self.now = now
        let start = now()
        // Ten digits, so that names sort by time.
        let seconds = String(Int(start))
        let padded = String(repeating: "0", count: max(0, 10 - seconds.count)) + seconds
        let stem = "events.out.tfevents.\(padded).\(Self.hostName()).\(getpid())"
        (url, descriptor) = try Self.create(stem, in: directory)
        sink = FileSink(descriptor: descriptor, path: url.path)
        try write(
            .with {
                $0.wallTime = start
                $0.fileVersion = "brain.Event:2"
                $0.sourceMetadata.writer = "peo"
            })
        if let step {
            try write(
                .with {
                    $0.wallTime = start
                    $0.step = Int64(step) + 1
                    $0.sessionLog.status = .start
                })
        }
    }

    deinit { close(descriptor) }

    /// Appends scalars, which TensorBoard keeps as 32-bit floats; NaN and infinities are allowed.
    ///
    /// - Parameters:
    ///   - step: the logical step.
    ///   - values: tag and value; a slash in a tag makes a group, as in `train/loss`.
    /// - Throws: `FileError`, for example on a full disk.
    public func append(step: Int, values: [(tag: String, value: Double)]) throws {
        try write(
            .with {
                $0.wallTime = now()
                $0.step = Int64(step)
                $0.summary.value = values.map { tag, value in
                    .with {
                        $0.tag = tag
                        $0.simpleValue = Float(value)
                    }
                }
            })
    }

    /// Appends a record's values with its kind as the group, such as `validation/accuracy`.
    /// - Throws: `FileError`, for example on a full disk.
    public func append(_ record: MetricsRecord) throws {
        try append(
            step: record.step, values: record.values.map { ("\(record.kind.rawValue)/\($0.name)", $0.value) })
    }

    private func write(_ event: TensorBoardEvent) throws {
        // Serialising fails only for messages beyond 2 GiB and for required fields, of which there are none.
        let payload: [UInt8] = try event.serializedBytes()
        try sink.write(TFRecord.frame(payload))
    }

    /// The machine's own name. Foundation's `hostName` would ask the network for it.
    private static func hostName() -> String {
        var name = [UInt8](repeating: 0, count: 256)
        let status = name.withUnsafeMutableBytes {
            gethostname($0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count - 1)
        }
        let text = String(decoding: name.prefix { $0 != 0 }, as: UTF8.self).filter { $0 != "/" }
        return status == 0 && !text.isEmpty ? text : "localhost"
    }

    /// Opens a file that did not exist; the number at the end tells sessions of one second apart.
    private static func create(_ stem: String, in directory: URL) throws -> (URL, Int32) {
        var number = 0
        while true {
            let url = directory.appendingPathComponent("\(stem).\(number)")
            let descriptor = open(url.path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o644)
            if descriptor >= 0 { return (url, descriptor) }
            guard errno == EEXIST else {
                throw FileError(path: url.path, operation: .create, errorNumber: errno)
            }
            number += 1
        }
    }
}
