import Foundation

/// Data that were published under a name, or are built in: what `peo data` lists, fetches and describes.
public protocol PublishedData: Sendable {
    /// The name in configurations.
    var name: String { get }
    /// One line: what it is.
    var summary: String { get }
    /// The files to download; empty if the data are built in.
    var files: [RemoteFile] { get }
    /// Sets of other files that hold the same data, relative to a folder of `PEO_DATA`.
    var alternatives: [[String]] { get }
    /// Who made it: author, year, title, address.
    var source: String { get }
    var licence: String { get }
    /// What the examples are; nil where the settings decide.
    var examples: ExampleSummary? { get }

    /// Loads the data, which checks every file: from the folders of `PEO_DATA`, the cache, or the network, in this order.
    func load(from locations: DataLocations) throws -> Dataset
}

/// The shape and number of a data set's examples, before it is loaded.
public struct ExampleSummary: Sendable {
    /// The shape of one example: channels, height and width, or [features].
    public let shape: [Int]
    /// What each label means.
    public let classNames: [String]
    public let trainCount: Int
    public let testCount: Int
}

extension PublishedData {
    public var alternatives: [[String]] { [] }
    public var examples: ExampleSummary? { nil }

    /// Where the first whole set of ``alternatives`` is on this machine.
    public func alternative(in locations: DataLocations) -> [URL]? {
        locations.searchFolders.lazy.flatMap { folder in
            alternatives.lazy.map { $0.map(folder.appendingPathComponent) }
        }.first { urls in !urls.isEmpty && urls.allSatisfy { FileManager.default.fileExists(atPath: $0.path) }
        }
    }
}

extension DatasetEntry: PublishedData {
    public var examples: ExampleSummary? {
        ExampleSummary(
            shape: inputShape, classNames: classNames, trainCount: trainCount, testCount: testCount)
    }
}

extension DatasetCatalogue {
    /// Everything that `peo data` knows: the entries, and the kinds of data with settings that were published.
    public static var published: [any PublishedData] {
        entries + DataSourceCatalogue.all.compactMap { $0.standard as? any PublishedData }
    }

    /// The published data of that name.
    ///
    /// - Throws: ``DatasetError`` with the nearest name and all names if there are none.
    public static func published(named name: String) throws -> any PublishedData {
        try find(name, in: published.map { ($0.name, $0) })
    }
}
