import Datasets
import PerturbedEquations

/// The data of an experiment: a data set of the catalogue by its name, or a kind of data with settings.
///
/// ```yaml
/// data: fashion-mnist
/// data: {idx: {trainImages: a.idx, trainLabels: b.idx, testImages: c.idx, testLabels: d.idx, classes: 10}}
/// ```
public enum DataChoice: Codable, Sendable {
    case named(String)
    case source(any DataSource)

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(_ name: String) { stringValue = name }
        init?(stringValue: String) { self.init(stringValue) }
        init?(intValue: Int) { nil }
    }

    /// A data set of the catalogue has no settings.
    private struct NoSettings: Codable {
        init() {}
        init(from decoder: any Decoder) throws { _ = try decoder.container(keyedBy: Key.self) }
    }

    public init(from decoder: any Decoder) throws {
        let names = DatasetCatalogue.entries.map(\.name)
        let sources = DataSourceCatalogue.all
        func refuse(_ problem: String) -> DecodingError {
            .dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: problem))
        }
        if let name = try? decoder.singleValueContainer().decode(String.self) {
            if names.contains(name) {
                self = .named(name)
                return
            }
            let source = sources.first { $0.entry.name == name }
            if let standard = source?.standard {
                self = .source(standard)
                return
            }
            if source != nil {
                throw refuse("'\(name)' needs settings: {\(name): {…}} (peo list datasets \(name))")
            }
            let hint =
                nearestName(to: name, among: names + sources.map { $0.entry.name })
                .map { "; did you mean '\($0)'?" } ?? ""
            let allowed =
                names
                + sources.map { $0.standard == nil ? "{\($0.entry.name): {…}}" : $0.entry.name }
            throw refuse(
                "there is no data set '\(name)'\(hint) (allowed: \(allowed.joined(separator: ", ")))")
        }
        let container = try decoder.container(keyedBy: Key.self)
        var found: [DataChoice] = []
        for name in names where try container.decodeIfPresent(NoSettings.self, forKey: Key(name)) != nil {
            found.append(.named(name))
        }
        for type in sources {
            if let source = try container.decodeIfPresent(type, forKey: Key(type.entry.name)) {
                found.append(.source(source))
            }
        }
        guard found.count == 1 else {
            let allowed = names + sources.map { $0.entry.name }
            throw refuse(
                (found.isEmpty ? "names no known data set" : "names more than one data set")
                    + "; allowed: one of \(allowed.joined(separator: ", "))")
        }
        self = found[0]
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .named(let name):
            var container = encoder.singleValueContainer()
            try container.encode(name)
        case .source(let source):
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(source, forKey: Key(type(of: source).entry.name))
        }
    }

    /// The same choice with full paths, so that it can be loaded from anywhere.
    func resolved() -> DataChoice {
        guard case .source(let source) = self else { return self }
        return .source(source.resolved())
    }

    /// Loads the data.
    /// - Throws: `DatasetError`, `FileError`, naming the file and the way out.
    public func load(from locations: DataLocations = DataLocations()) throws -> Dataset {
        switch self {
        case .named(let name): try DatasetCatalogue.load(name, from: locations)
        case .source(let source): try source.load(from: locations)
        }
    }
}
