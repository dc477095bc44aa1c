import Foundation
import Safetensors

/// Rows of numbers with a label each, as a text file has them, before the labels have become classes.
///
/// Labels and places are kept, so that a label that is out of range can be named with its line and column.
public struct LabelledTable: Sendable {
    /// What errors call the file.
    public let name: String
    /// The columns' names; empty where the file has none.
    public internal(set) var columns: [String] = []
    /// How many numbers a row has.
    public let width: Int
    /// All rows' numbers, row by row: `count` × `width`, all finite.
    public internal(set) var features: [Float] = []
    /// Each row's label as it is written.
    public internal(set) var labels: [String] = []
    /// The line of each row in the file, from 1.
    let lines: [Int]
    /// Where in a line the label is, for errors.
    let labelColumn: String
    /// Whether numbers that are not written are 0, so that a row can be of any greater width.
    let isSparse: Bool

    /// How many numbers a table may have: 2³⁰, which take 4 GiB.
    public static let limit = 1 << 30
    /// How many columns: 1,000,000.
    public static let widthLimit = 1_000_000

    init(
        name: String, columns: [String] = [], width: Int, features: [Float], labels: [String], lines: [Int],
        labelColumn: String, isSparse: Bool = false
    ) throws {
        self.name = name
        self.columns = columns
        self.width = width
        self.features = features
        self.labels = labels
        self.lines = lines
        self.labelColumn = labelColumn
        self.isSparse = isSparse
        guard !labels.isEmpty else { throw DatasetError(.format, "\(name): there are no rows") }
    }

    /// The number of rows.
    public var count: Int { labels.count }

    /// An error at the label of a row.
    func badLabel(_ row: Int, allowed: String) -> DatasetError {
        DatasetError(
            .value,
            "\(name), line \(lines[row]), \(labelColumn): the label is '\(labels[row])'; allowed: \(allowed)")
    }

    /// The contents of a text file, inflated if it is compressed.
    static func contents(of url: URL) throws -> Data {
        let stored = try MappedFile.contents(of: url)
        return Gzip.isCompressed(stored)
            ? try Gzip.inflate(stored, limit: IDXFile.defaultLimit, named: url.path) : stored
    }

    /// A number as a file writes it: decimal, with a point. Nil unless it is one, and finite as a 32-bit float.
    static func number(_ text: String) -> Float? {
        guard let value = Float(text), value.isFinite,
            text.utf8.allSatisfy({ ($0 >= 0x30 && $0 <= 0x39) || "+-.eE".utf8.contains($0) })
        else { return nil }
        return value
    }
}
