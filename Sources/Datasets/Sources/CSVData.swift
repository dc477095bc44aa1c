import Foundation
import PerturbedEquations

/// Tables in CSV files: numbers, and a column of labels.
///
/// ```yaml
/// data: {csv: {train: iris.csv, label: species}}
/// data: {csv: {train: a.csv, test: b.csv, label: -1, header: false, delimiter: ";", ignore: [0]}}
/// ```
public struct CSVData: DataSource, Equatable {
    public var table: TableSettings
    public var format: CSVFormat

    private enum CodingKeys: String, CodingKey { case label, header, ignore, delimiter }

    public init(from decoder: any Decoder) throws {
        let settings = try SourceSettings(decoder, keyedBy: CodingKeys.self)
        let label: CSVFormat.Column = try settings.value(.label)
        let header = try settings.value(.header, default: true)
        let ignore: [CSVFormat.Column] = try settings.value(.ignore, default: [])
        let delimiter = try settings.value(.delimiter, default: ",")
        table = try TableSettings(from: decoder, standardise: true)
        let bytes = Array(delimiter.utf8)
        try settings.check(
            bytes.count == 1 && bytes[0] < 128 && !Array("\"\r\n".utf8).contains(bytes[0]) && bytes[0] != 0,
            .delimiter, "is '\(delimiter)'; allowed: one ASCII character, such as ',', ';' or '\\t'")
        format = CSVFormat(label: label, header: header, ignore: ignore, delimiter: bytes[0])
    }

    public func encode(to encoder: any Encoder) throws {
        try table.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(format.label, forKey: .label)
        try container.encode(format.header, forKey: .header)
        if !format.ignore.isEmpty { try container.encode(format.ignore, forKey: .ignore) }
        try container.encode(String(UnicodeScalar(format.delimiter)), forKey: .delimiter)
    }

    public static let entry = CatalogueEntry(
        name: "csv", summary: "tables of your own, as CSV (RFC 4180)",
        equation: "x = (value − mean)/deviation for each column",
        parameters: TableSettings.parameters(standardise: true) + [
            .init(
                "label", "name or integer", allowed: "a column's name, or its place from 0; −1: the last",
                "the column of the labels"),
            .init(
                "header", "boolean", default: "true", allowed: "true, false",
                "whether the first row names columns"),
            .init(
                "ignore", "list of names or integers", default: "[]", allowed: "columns that the file has",
                "columns that are left out, such as identifiers"),
            .init(
                "delimiter", "text", default: "\",\"", allowed: "one ASCII character",
                "what separates two fields"),
        ], source: "Shafranovich 2005, RFC 4180: Common Format and MIME Type for CSV Files")

    public func resolved() -> CSVData {
        var files = self
        files.table = table.resolved()
        return files
    }

    public func load(from _: DataLocations) throws -> Dataset {
        func read(_ path: String) throws -> LabelledTable {
            try LabelledTable(csv: URL(fileURLWithPath: path), format)
        }
        return try Dataset(name: "csv", train: read(table.train), test: table.test.map(read), table.options)
    }
}

extension CSVFormat.Column: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let place = try? container.decode(Int.self) {
            self = .at(place)
        } else {
            self = .named(try container.decode(String.self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .named(let name): try container.encode(name)
        case .at(let place): try container.encode(place)
        }
    }
}
