import Foundation

/// How a CSV file is read.
public struct CSVFormat: Sendable, Hashable {
    /// A column by its name in the header, or by its place: from 0, or from the end where negative (−1: the last).
    public enum Column: Sendable, Hashable {
        case named(String)
        case at(Int)
    }

    /// The column of the labels.
    public var label: Column
    /// Whether the first record names the columns (default yes).
    public var header: Bool
    /// Columns that are left out, such as identifiers.
    public var ignore: [Column]
    /// What separates two fields: one ASCII character (default a comma).
    public var delimiter: UInt8

    public init(
        label: Column, header: Bool = true, ignore: [Column] = [], delimiter: UInt8 = UInt8(ascii: ",")
    ) {
        self.label = label
        self.header = header
        self.ignore = ignore
        self.delimiter = delimiter
    }
}

extension LabelledTable {
    /// Reads a CSV file (gzip or not) of numbers and labels.
    ///
    /// - Throws: `FileError`; ``DatasetError`` naming the file, the line and the column of a row with more or fewer fields
    ///   than the first, of a missing value, and of one that is not a finite number.
    public init(csv url: URL, _ format: CSVFormat) throws {
        try self.init(csv: Self.contents(of: url), named: url.path, format)
    }

    /// Reads CSV text.
    ///
    /// - Parameter name: what errors call it.
    public init(csv data: Data, named name: String, _ format: CSVFormat) throws {
        var records = CSVRecords(data, named: name, delimiter: format.delimiter)
        var record = CSVRecords.Record()
        guard try records.next(into: &record) else {
            throw DatasetError(.format, "\(name): the file is empty")
        }
        let firstLine = record.line
        let width = record.count
        let layout = try Layout(format, fields: (0..<width).map { record.text($0) ?? "" }, named: name)
        var features: [Float] = []
        var labels: [String] = []
        var lines: [Int] = []
        var isThere = true
        if format.header { isThere = try records.next(into: &record) }
        while isThere {
            guard record.count == width else {
                throw DatasetError(
                    .format,
                    "\(name), line \(record.line): \(record.count) columns; expected \(width), as in line \(firstLine)"
                )
            }
            guard features.count + layout.features.count <= Self.limit else {
                throw DatasetError(
                    .format, "\(name), line \(record.line): the table has more than 2³⁰ numbers")
            }
            for column in layout.features { features.append(try layout.number(record, column)) }
            labels.append(try layout.label(record))
            lines.append(record.line)
            isThere = try records.next(into: &record)
        }
        try self.init(
            name: name, columns: format.header ? layout.features.map { layout.names[$0] } : [],
            width: layout.features.count, features: features, labels: labels, lines: lines,
            labelColumn: layout.shown(layout.label))
    }

    /// Which column is what.
    private struct Layout {
        let file: String
        /// Empty without a header.
        let names: [String]
        let label: Int
        let features: [Int]

        init(_ format: CSVFormat, fields: [String], named file: String) throws {
            self.file = file
            let names = format.header ? fields : []
            self.names = names
            if let twice = Set(names).first(where: { name in names.count { $0 == name } > 1 }) {
                throw DatasetError(.format, "\(file), line 1: two columns are called '\(twice)'")
            }
            func place(_ column: CSVFormat.Column) throws -> Int {
                switch column {
                case .named(let name):
                    guard let place = names.firstIndex(of: name) else {
                        throw DatasetError(
                            .request,
                            "\(file): there is no column '\(name)'; "
                                + (format.header
                                    ? "the header has: \(names.prefix(50).joined(separator: ", "))"
                                    : "the file has no header, so columns go by their place, 0 to \(fields.count - 1)")
                        )
                    }
                    return place
                case .at(let place):
                    guard place >= -fields.count, place < fields.count else {
                        throw DatasetError(
                            .request,
                            "\(file): there is no column \(place); allowed: 0 to \(fields.count - 1), or −1 to "
                                + "−\(fields.count) from the end")
                    }
                    return place < 0 ? fields.count + place : place
                }
            }
            let label = try place(format.label)
            let ignored = Set(try format.ignore.map(place))
            self.label = label
            features = fields.indices.filter { $0 != label && !ignored.contains($0) }
            guard !features.isEmpty, features.count <= LabelledTable.widthLimit else {
                throw DatasetError(
                    .format,
                    "\(file): \(features.count) columns are left beside the label; allowed: 1 to "
                        + "\(LabelledTable.widthLimit)")
            }
        }

        /// A column as errors call it, by its name where it has one, and counted from 1 as editors do.
        func shown(_ column: Int) -> String {
            names.isEmpty ? "column \(column + 1)" : "column \(column + 1) ('\(names[column])')"
        }

        private static let missing: Set<String> = ["", "?", "na", "n/a", "nan", "null", "none"]

        private func text(_ record: CSVRecords.Record, _ column: Int, allowed: String) throws -> String {
            guard let text = record.text(column) else {
                throw bad(record, column, "is not UTF-8 text", .format)
            }
            guard !Self.missing.contains(text.lowercased()) else {
                let shown = text.isEmpty ? "" : " ('\(text)')"
                throw bad(
                    record, column,
                    "the value is missing\(shown); allowed: \(allowed). Fill it in, or leave the "
                        + "row out, or the column (ignore)", .value)
            }
            return text
        }

        func number(_ record: CSVRecords.Record, _ column: Int) throws -> Float {
            let text = try text(record, column, allowed: "a finite number")
            guard let number = LabelledTable.number(text) else {
                throw bad(
                    record, column,
                    "the value is '\(text.prefix(50))'; allowed: a finite number. A column of words can "
                        + "be left out (ignore)", .value)
            }
            return number
        }

        func label(_ record: CSVRecords.Record) throws -> String {
            try text(record, label, allowed: "a label")
        }

        private func bad(
            _ record: CSVRecords.Record, _ column: Int, _ what: String, _ code: DatasetError.Code
        ) -> DatasetError {
            DatasetError(code, "\(file), line \(record.line), \(shown(column)): \(what)")
        }
    }
}
