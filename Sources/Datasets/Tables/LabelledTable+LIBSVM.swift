import Foundation

extension LabelledTable {
    /// Reads a LIBSVM file (gzip or not): a row is `label index:value …`, with indices from 1 that rise; numbers that are
    /// not written are 0. `#` begins a comment.
    ///
    /// - Parameter features: how many numbers a row has, where that is more than the largest index; at most 1,000,000.
    /// - Throws: `FileError`; ``DatasetError`` naming the file, the line and the entry.
    public init(libsvm url: URL, features: Int? = nil) throws {
        try self.init(libsvm: Self.contents(of: url), named: url.path, features: features)
    }

    /// Reads LIBSVM text.
    ///
    /// - Parameter name: what errors call it.
    public init(libsvm data: Data, named name: String, features: Int? = nil) throws {
        let rows = try SparseRows(data, named: name, features: features ?? Self.widthLimit)
        let width = features ?? rows.width
        guard width > 0 else { throw DatasetError(.format, "\(name): no row has a number") }
        // Checked before anything is allocated: a short file can name a large index.
        guard rows.labels.count <= Self.limit / width else {
            throw DatasetError(
                .format,
                "\(name): \(rows.labels.count) rows of \(width) numbers; allowed: 2³⁰ numbers, since the table is kept "
                    + "with its zeros")
        }
        var dense = [Float](repeating: 0, count: rows.labels.count * width)
        var next = 0
        for (row, end) in rows.ends.enumerated() {
            while next < end {
                dense[row * width + Int(rows.indices[next]) - 1] = rows.values[next]
                next += 1
            }
        }
        try self.init(
            name: name, width: width, features: dense, labels: rows.labels, lines: rows.lines,
            labelColumn: "column 1",
            isSparse: true)
    }

    /// The same rows with zeros after them, so that two files have rows of one width.
    func widened(to width: Int) throws -> LabelledTable {
        guard width != self.width else { return self }
        precondition(isSparse && width > self.width)
        guard count <= Self.limit / width else {
            throw DatasetError(
                .format, "\(name): \(count) rows of \(width) numbers; allowed: 2³⁰ numbers")
        }
        var wide = [Float](repeating: 0, count: count * width)
        for row in 0..<count {
            for column in 0..<self.width { wide[row * width + column] = features[row * self.width + column] }
        }
        return try LabelledTable(
            name: name, width: width, features: wide, labels: labels, lines: lines, labelColumn: labelColumn,
            isSparse: true)
    }
}

/// The entries of a LIBSVM file, row after row.
private struct SparseRows {
    var labels: [String] = []
    var lines: [Int] = []
    /// Where each row's entries end.
    var ends: [Int] = []
    var indices: [Int32] = []
    var values: [Float] = []
    /// The largest index.
    var width = 0

    init(_ data: Data, named name: String, features: Int) throws {
        func fail(_ line: Int, _ field: Int, _ what: String) -> DatasetError {
            DatasetError(.format, "\(name), line \(line), column \(field + 1): \(what)")
        }
        var line = 0
        for bytes in data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            line += 1
            let content = bytes.prefix { $0 != UInt8(ascii: "#") }
            let fields = content.split { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
            guard let first = fields.first else { continue }
            let label = String(decoding: first, as: UTF8.self)
            guard LabelledTable.number(label) != nil else {
                throw fail(line, 0, "the label is '\(label.prefix(50))'; allowed: a finite number")
            }
            var last = 0
            for (position, field) in fields.enumerated().dropFirst() {
                let parts = field.split(
                    separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false
                )
                .map { String(decoding: $0, as: UTF8.self) }
                guard parts.count == 2, let index = Int(parts[0]), let value = LabelledTable.number(parts[1])
                else {
                    throw fail(
                        line, position,
                        "the entry is '\(String(decoding: field.prefix(50), as: UTF8.self))'; allowed: index:value with "
                            + "a whole index and a finite value")
                }
                guard index > last, index <= features else {
                    throw fail(
                        line, position,
                        index > features
                            ? "the index is \(index); allowed: 1 to \(features)"
                            : "the index is \(index)\(last > 0 ? " after \(last)" : ""); allowed: from 1, and rising"
                    )
                }
                last = index
                indices.append(Int32(index))
                values.append(value)
            }
            width = max(width, last)
            labels.append(label)
            lines.append(line)
            ends.append(indices.count)
        }
    }
}
