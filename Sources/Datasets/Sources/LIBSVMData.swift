import Foundation
import PerturbedEquations

/// Tables in the LIBSVM format: `label index:value …` in a line.
///
/// ```yaml
/// data: {libsvm: {train: a9a, test: a9a.t}}
/// ```
public struct LIBSVMData: DataSource, Equatable {
    public var table: TableSettings
    /// How many numbers an example has; else the largest index of both files.
    public var features: Int?

    private enum CodingKeys: String, CodingKey { case features }

    public init(from decoder: any Decoder) throws {
        let settings = try SourceSettings(decoder, keyedBy: CodingKeys.self)
        features = try settings.optional(.features)
        table = try TableSettings(from: decoder, standardise: false)
        if let features {
            try settings.check(
                (1...LabelledTable.widthLimit).contains(features), .features,
                "is \(features); allowed: 1 to \(LabelledTable.widthLimit)")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(features, forKey: .features)
        try table.encode(to: encoder)
    }

    public static let entry = CatalogueEntry(
        name: "libsvm", summary: "tables of your own, in the LIBSVM format",
        equation: "a row is: label index:value index:value …, indices from 1; what is not written is 0",
        parameters: TableSettings.parameters(standardise: false) + [
            .init(
                "features", "integer", default: "none", allowed: "1 to \(LabelledTable.widthLimit)",
                "how many numbers an example has; else the largest index of both files")
        ], source: "Chang and Lin 2011, LIBSVM: A Library for Support Vector Machines")

    public func resolved() -> LIBSVMData {
        var files = self
        files.table = table.resolved()
        return files
    }

    public func load(from _: DataLocations) throws -> Dataset {
        func read(_ path: String) throws -> LabelledTable {
            try LabelledTable(libsvm: URL(fileURLWithPath: path), features: features)
        }
        return try Dataset(
            name: "libsvm", train: read(table.train), test: table.test.map(read), table.options)
    }
}
