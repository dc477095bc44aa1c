import Datasets
import Foundation
import PerturbedEquations
import Safetensors

/// The data of an experiment: a data set of the catalogue by its name, or files of your own.
///
/// ```yaml
/// data: fashion-mnist
/// data: {idx: {trainImages: a.idx, trainLabels: b.idx, testImages: c.idx, testLabels: d.idx, classes: 10}}
/// ```
public enum DataChoice: Codable, Sendable, Equatable {
    case named(String)
    case files(IDXFiles)

    /// Images of one's own, as four files in the IDX format (gzip or not).
    ///
    /// Bytes become (byte/255 − `mean`)/`deviation`; floats are used as they are.
    public struct IDXFiles: Codable, Sendable, Equatable {
        public var trainImages: String
        public var trainLabels: String
        public var testImages: String
        public var testLabels: String
        /// The number of classes, ≥ 2; labels are 0 to `classes` − 1.
        public var classes: Int
        /// Subtracted from a byte/255 (default 0).
        public var mean: Double
        /// What it is then divided by, > 0 (default 1).
        public var deviation: Double

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            func check(_ condition: Bool, _ key: CodingKeys, _ message: @autoclosure () -> String) throws {
                guard !condition else { return }
                throw DecodingError.dataCorruptedError(
                    forKey: key, in: container, debugDescription: message())
            }
            trainImages = try container.decode(String.self, forKey: .trainImages)
            trainLabels = try container.decode(String.self, forKey: .trainLabels)
            testImages = try container.decode(String.self, forKey: .testImages)
            testLabels = try container.decode(String.self, forKey: .testLabels)
            classes = try container.decode(Int.self, forKey: .classes)
            mean = try container.decodeIfPresent(Double.self, forKey: .mean) ?? 0
            deviation = try container.decodeIfPresent(Double.self, forKey: .deviation) ?? 1
            try check((2...100_000).contains(classes), .classes, "is \(classes); allowed: 2 to 100000")
            try check(
                deviation > 0 && Float(deviation) > 0, .deviation, "is \(deviation); allowed: more than 0")
            try check(
                Float(deviation).isFinite, .deviation, "is \(deviation); allowed: what fits a 32-bit float")
        }

        /// Reads and checks the four files.
        func load() throws -> Dataset {
            let scale = PixelScale(maximum: 255, mean: Float(mean), deviation: Float(deviation))
            func read(_ path: String) throws -> IDXFile {
                try IDXFile(contentsOf: URL(fileURLWithPath: path))
            }
            let images = try (train: read(trainImages), test: read(testImages))
            let shape = images.train.shape
            guard shape.count == 3, !shape.contains(0) else {
                throw DatasetError(
                    .format, "\(images.train.name): shape \(shape); expected images of [count, height, width]"
                )
            }
            func split(_ images: IDXFile, _ labels: String) throws -> DataSplit {
                try DataSplit(
                    images: images, labels: read(labels), height: shape[1], width: shape[2], classes: classes,
                    scale: scale)
            }
            return Dataset(
                name: "idx", inputShape: [1, shape[1], shape[2]], classNames: (0..<classes).map(String.init),
                train: try split(images.train, trainLabels), test: try split(images.test, testLabels))
        }
    }

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
        if let name = try? decoder.singleValueContainer().decode(String.self) {
            guard names.contains(name) else {
                let hint = nearestName(to: name, among: names).map { "; did you mean '\($0)'?" } ?? ""
                throw DecodingError.dataCorrupted(
                    .init(
                        codingPath: decoder.codingPath,
                        debugDescription: "there is no data set '\(name)'\(hint) "
                            + "(allowed: \(names.joined(separator: ", ")), {idx: {…}})"))
            }
            self = .named(name)
            return
        }
        let container = try decoder.container(keyedBy: Key.self)
        var found: [DataChoice] = []
        for name in names where try container.decodeIfPresent(NoSettings.self, forKey: Key(name)) != nil {
            found.append(.named(name))
        }
        if let files = try container.decodeIfPresent(IDXFiles.self, forKey: Key("idx")) {
            found.append(.files(files))
        }
        guard found.count == 1 else {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: decoder.codingPath,
                    debugDescription: (found.isEmpty
                        ? "names no known data set" : "names more than one data set")
                        + "; allowed: one of \(names.joined(separator: ", ")), idx"))
        }
        self = found[0]
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .named(let name):
            var container = encoder.singleValueContainer()
            try container.encode(name)
        case .files(let files):
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(files, forKey: Key("idx"))
        }
    }

    /// The same choice with full paths, so that it can be loaded from anywhere.
    func resolved() -> DataChoice {
        guard case .files(var files) = self else { return self }
        func full(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }
        files.trainImages = full(files.trainImages)
        files.trainLabels = full(files.trainLabels)
        files.testImages = full(files.testImages)
        files.testLabels = full(files.testLabels)
        return .files(files)
    }

    /// Loads the data.
    /// - Throws: `DatasetError`, `FileError`, naming the file and the way out.
    func load(from locations: DataLocations = DataLocations()) throws -> Dataset {
        switch self {
        case .named(let name): try DatasetCatalogue.load(name, from: locations)
        case .files(let files): try files.load()
        }
    }
}
