import Foundation
import Safetensors

extension ReplayBuffer {
    /// What is filled of each array, under its name, and the place of the next transition: all that a resumed run needs.
    /// Nothing is copied; the buffer must not change before they are written.
    public var tensors: [TensorSource] {
        let position: [Int64] = [Int64(next)]
        return fields.map { name, width, path in
            TensorSource(name: name, type: .float32, shape: [count, width]) { [self] write in
                try self[keyPath: path].withUnsafeBytes {
                    try write(
                        UnsafeRawBufferPointer(rebasing: $0[..<(count * width * MemoryLayout<Float>.size)]))
                }
            }
        } + [
            TensorSource(name: "replay.next", type: .int64, shape: [1]) { write in
                try position.withUnsafeBytes { try write($0) }
            }
        ]
    }

    /// Puts back what ``tensors`` gave.
    ///
    /// - Throws: `ReplayBufferError` that names the file and the fault, where it is of other sizes or holds more than the
    ///   capacity; nothing has changed then.
    public func restore(from file: SafetensorsFile) throws(ReplayBufferError) {
        func refuse(_ problem: String) -> ReplayBufferError {
            ReplayBufferError(.saved, "\(file.name): the replay buffer cannot be used: \(problem)")
        }
        var entries: [TensorEntry] = []
        for (name, width, _) in fields {
            guard let entry = file[name] else { throw refuse("'\(name)' is missing") }
            guard entry.type == .float32, entry.shape.count == 2, entry.shape[1] == width else {
                throw refuse(
                    "'\(name)' is \(entry.type.rawValue) of shape \(entry.shape); allowed: F32 of [transitions, \(width)]"
                )
            }
            entries.append(entry)
        }
        let filled = entries[0].shape[0]
        for entry in entries where entry.shape[0] != filled {
            throw refuse(
                "'\(entry.name)' has \(entry.shape[0]) transitions, '\(entries[0].name)' has \(filled)")
        }
        guard filled <= capacity else {
            throw refuse("it has \(filled) transitions; allowed: up to the capacity of \(capacity)")
        }
        guard let place = file["replay.next"], place.type == .int64, place.shape == [1] else {
            throw refuse("'replay.next' is not one I64 number")
        }
        let next = place.withUnsafeBytes { Int($0.loadUnaligned(as: Int64.self)) }
        // Before it is full the next place is the end; then it is anywhere.
        guard filled < capacity ? next == filled : (0..<capacity).contains(next) else {
            throw refuse("the next place is \(next) with \(filled) transitions of \(capacity)")
        }
        for ((_, width, path), entry) in zip(fields, entries) {
            entry.withUnsafeBytes { bytes in
                self[keyPath: path].withUnsafeMutableBytes { $0.copyMemory(from: bytes) }
            }
            precondition(entry.count == filled * width, "the shape was checked")
        }
        count = filled
        self.next = next
    }

    private typealias Field = (
        name: String, width: Int, path: ReferenceWritableKeyPath<ReplayBuffer, [Float]>
    )

    private var fields: [Field] {
        [
            ("replay.observations", observationSize, \.observations),
            ("replay.actions", actionSize, \.actions),
            ("replay.rewards", 1, \.rewards),
            ("replay.nextObservations", observationSize, \.nextObservations),
            ("replay.terminated", 1, \.terminated),
        ]
    }
}
