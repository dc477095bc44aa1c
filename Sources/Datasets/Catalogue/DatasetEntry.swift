import Foundation

/// What the catalogue knows about one data set, and how to load it.
public struct DatasetEntry: Sendable {
    /// The name in configurations, such as `fashion-mnist`.
    public let name: String
    /// One line: what it is.
    public let summary: String
    /// The shape of one example: channels, height and width, or [features].
    public let inputShape: [Int]
    /// What each label means.
    public let classNames: [String]
    public let trainCount: Int
    public let testCount: Int
    /// How bytes become numbers: one scale for all channels, or one for each; none where the data are numbers.
    public let scales: [PixelScale]
    /// The scale of the first channel; nil where the data are numbers.
    public var scale: PixelScale? { scales.first }
    /// Who made it: author, year, title, address.
    public let source: String
    public let licence: String
    /// The files to download; empty if the data are built in.
    public let files: [RemoteFile]
    /// Sets of other files that hold the same data, relative to a folder of `PEO_DATA`.
    public let alternatives: [[String]]
    private let loader: @Sendable (DatasetEntry, DataLocations) throws -> Dataset

    public init(
        name: String, summary: String, inputShape: [Int], classNames: [String], trainCount: Int,
        testCount: Int, scales: [PixelScale], source: String, licence: String, files: [RemoteFile],
        alternatives: [[String]] = [],
        load: @escaping @Sendable (DatasetEntry, DataLocations) throws -> Dataset
    ) {
        self.name = name
        self.summary = summary
        self.inputShape = inputShape
        self.classNames = classNames
        self.trainCount = trainCount
        self.testCount = testCount
        self.scales = scales
        self.source = source
        self.licence = licence
        self.files = files
        self.alternatives = alternatives
        loader = load
    }

    /// An entry whose channels have one scale.
    public init(
        name: String, summary: String, inputShape: [Int], classNames: [String], trainCount: Int,
        testCount: Int, scale: PixelScale, source: String, licence: String, files: [RemoteFile],
        load: @escaping @Sendable (DatasetEntry, DataLocations) throws -> Dataset
    ) {
        self.init(
            name: name, summary: summary, inputShape: inputShape, classNames: classNames,
            trainCount: trainCount, testCount: testCount, scales: [scale], source: source, licence: licence,
            files: files, load: load)
    }

    /// The same data set, published elsewhere.
    package func replacing(files: [RemoteFile]) -> DatasetEntry {
        DatasetEntry(
            name: name, summary: summary, inputShape: inputShape, classNames: classNames,
            trainCount: trainCount, testCount: testCount, scales: scales, source: source, licence: licence,
            files: files, alternatives: alternatives, load: loader)
    }

    /// Loads the data: from the folders of `PEO_DATA`, the cache, or the network, in this order.
    ///
    /// - Throws: ``DatasetError`` or `FileError`, naming the file and the way out.
    public func load(from locations: DataLocations = DataLocations()) throws -> Dataset {
        try loader(self, locations)
    }
}
