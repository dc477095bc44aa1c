import Foundation

/// The records of a CSV file, one after the other: RFC 4180, strictly.
///
/// Fields may be quoted; a quoted field may hold delimiters, line ends and doubled quotes. Lines end with LF or CR LF.
/// Empty lines are passed over, and so is a byte-order mark at the beginning.
struct CSVRecords {
    /// One record: the bytes of its fields, without quotes.
    struct Record {
        /// Of the record's beginning, from 1.
        fileprivate(set) var line = 0
        fileprivate var bytes: [UInt8] = []
        fileprivate var ends: [Int] = []

        var count: Int { ends.count }

        /// The bytes of a field.
        func field(_ position: Int) -> ArraySlice<UInt8> {
            bytes[(position == 0 ? 0 : ends[position - 1])..<ends[position]]
        }

        /// A field as text, without blanks around it; nil unless it is UTF-8.
        func text(_ position: Int) -> String? {
            String(validating: field(position), as: UTF8.self)?.trimmingCharacters(in: .whitespaces)
        }
    }

    private let data: Data
    private let name: String
    private let delimiter: UInt8
    private var place: Int
    private var line = 1

    /// - Parameter name: what errors call the file.
    init(_ data: Data, named name: String, delimiter: UInt8) {
        self.data = data
        self.name = name
        self.delimiter = delimiter
        place = data.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    }

    private enum Byte {
        static let quote = UInt8(ascii: "\"")
        static let lineFeed = UInt8(ascii: "\n")
        static let carriageReturn = UInt8(ascii: "\r")
    }

    /// Reads the next record into `record`.
    ///
    /// - Returns: false at the end of the file.
    /// - Throws: ``DatasetError`` for a quote out of place or a byte 0, naming the line and the column.
    mutating func next(into record: inout Record) throws -> Bool {
        try data.withUnsafeBytes { try next(into: &record, $0) }
    }

    private mutating func next(into record: inout Record, _ data: UnsafeRawBufferPointer) throws -> Bool {
        skipEmptyLines(data)
        guard place < data.count else { return false }
        record.line = line
        record.bytes.removeAll(keepingCapacity: true)
        record.ends.removeAll(keepingCapacity: true)
        while true {
            if place < data.count, data[place] == Byte.quote {
                try readQuoted(into: &record, data)
            } else {
                try readPlain(into: &record, data)
            }
            record.ends.append(record.bytes.count)
            guard place < data.count, data[place] == delimiter else { break }
            place += 1
        }
        endLine(data)
        return true
    }

    private func isLineEnd(_ data: UnsafeRawBufferPointer) -> Bool {
        guard place < data.count else { return true }
        if data[place] == Byte.lineFeed { return true }
        guard data[place] == Byte.carriageReturn else { return false }
        return place + 1 == data.count || data[place + 1] == Byte.lineFeed
    }

    private mutating func endLine(_ data: UnsafeRawBufferPointer) {
        if place < data.count, data[place] == Byte.carriageReturn { place += 1 }
        if place < data.count, data[place] == Byte.lineFeed { place += 1 }
        line += 1
    }

    private mutating func skipEmptyLines(_ data: UnsafeRawBufferPointer) {
        while place < data.count, isLineEnd(data) { endLine(data) }
    }

    private mutating func readPlain(into record: inout Record, _ data: UnsafeRawBufferPointer) throws {
        while place < data.count, data[place] != delimiter, !isLineEnd(data) {
            let byte = data[place]
            guard byte != Byte.quote, byte != 0 else {
                throw fail(
                    byte == 0
                        ? "has a byte 0, which no text has"
                        : "has a quote inside an unquoted field; allowed: quotes around the whole field, and inside it "
                            + "doubled ones", record)
            }
            record.bytes.append(byte)
            place += 1
        }
    }

    private mutating func readQuoted(into record: inout Record, _ data: UnsafeRawBufferPointer) throws {
        let opened = line
        place += 1
        while place < data.count {
            let byte = data[place]
            place += 1
            if byte == Byte.quote {
                guard place < data.count, data[place] == Byte.quote else {
                    guard isLineEnd(data) || data[place] == delimiter else {
                        throw fail(
                            "has text after the closing quote; allowed: a delimiter or a line end", record)
                    }
                    return
                }
                place += 1
            }
            if byte == Byte.lineFeed { line += 1 }
            record.bytes.append(byte)
        }
        throw DatasetError(
            .format,
            "\(name), line \(opened), column \(record.count + 1): a quote is opened and never closed")
    }

    private func fail(_ what: String, _ record: Record) -> DatasetError {
        DatasetError(.format, "\(name), line \(line), column \(record.count + 1): \(what)")
    }
}
