import PerturbedEquations

/// A kind of data with settings, as a configuration writes them. One file each; `DataSourceCatalogue` lists them.
///
/// ```yaml
/// data: {idx: {trainImages: a.idx, trainLabels: b.idx, testImages: c.idx, testLabels: d.idx, classes: 10}}
/// ```
public protocol DataSource: Codable, Sendable {
    /// What `peo list datasets` prints, and the name that configurations use.
    static var entry: CatalogueEntry { get }

    /// All defaults, for a configuration that gives the name alone; nil where a setting must be given.
    static var standard: Self? { get }

    /// The same data by full paths, so that they can be loaded from anywhere.
    func resolved() -> Self

    /// Loads the data.
    /// - Throws: `DatasetError`, `FileError`, naming the file and the way out.
    func load(from locations: DataLocations) throws -> Dataset
}

extension DataSource {
    public static var standard: Self? { nil }
    public func resolved() -> Self { self }
}

/// The kinds of data with settings that can be named in a configuration.
public enum DataSourceCatalogue {
    /// To add one: its own file, and a line here.
    public static let all: [any DataSource.Type] = [
        IDXData.self, ImageFolder.self, SubsetData.self,
        CSVData.self, LIBSVMData.self,
        TextData.self, TinyShakespeare.self, InstructionData.self,
        ModularAddition.self, CopyTask.self, ParityTask.self,
        UCIConcrete.self, UCIEnergy.self, UCIYacht.self, UCIWineQualityRed.self, UCIKin8nm.self,
    ]
}
