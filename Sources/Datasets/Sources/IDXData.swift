import Foundation
import PerturbedEquations

/// Images of one's own, as four files in the IDX format (gzip or not).
///
/// Bytes become (byte/255 − `mean`)/`deviation`; floats are used as they are.
///
/// ```yaml
/// data: {idx: {trainImages: a.idx, trainLabels: b.idx, testImages: c.idx, testLabels: d.idx, classes: 10}}
/// ```
public struct IDXData: DataSource {
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

    private enum CodingKeys: String, CodingKey {
        case trainImages, trainLabels, testImages, testLabels, classes, mean, deviation
    }

    public init(from decoder: any Decoder) throws {
        let settings = try SourceSettings(decoder, keyedBy: CodingKeys.self)
        trainImages = try settings.value(.trainImages)
        trainLabels = try settings.value(.trainLabels)
        testImages = try settings.value(.testImages)
        testLabels = try settings.value(.testLabels)
        classes = try settings.value(.classes)
        mean = try settings.value(.mean, default: 0)
        deviation = try settings.value(.deviation, default: 1)
        try settings.check((2...100_000).contains(classes), .classes, "is \(classes); allowed: 2 to 100000")
        try settings.check(
            deviation > 0 && Float(deviation) > 0, .deviation, "is \(deviation); allowed: more than 0")
        try settings.check(
            Float(deviation).isFinite, .deviation, "is \(deviation); allowed: what fits a 32-bit float")
    }

    public static let entry = CatalogueEntry(
        name: "idx", summary: "your own images, as four IDX files",
        equation: "x = (byte/255 − mean)/deviation ∈ ℝ^(1×height×width)",
        parameters: [
            .init("trainImages", "path", allowed: "an IDX file [n, height, width]", "images to fit with"),
            .init("trainLabels", "path", allowed: "an IDX file [n] of bytes", "their classes"),
            .init("testImages", "path", allowed: "an IDX file [n, height, width]", "images to measure on"),
            .init("testLabels", "path", allowed: "an IDX file [n] of bytes", "their classes"),
            .init(
                "classes", "integer", allowed: "2 to 100000",
                "the number of classes; labels are 0 to classes − 1"),
            .init("mean", "number", default: "0", allowed: "a number", "subtracted from a byte/255"),
            .init("deviation", "number", default: "1", allowed: "> 0", "what that is then divided by"),
        ], source: "your files")

    public func resolved() -> IDXData {
        var data = self
        data.trainImages = fullPath(trainImages)
        data.trainLabels = fullPath(trainLabels)
        data.testImages = fullPath(testImages)
        data.testLabels = fullPath(testLabels)
        return data
    }

    public func load(from _: DataLocations) throws -> Dataset {
        let scale = PixelScale(maximum: 255, mean: Float(mean), deviation: Float(deviation))
        func read(_ path: String) throws -> IDXFile {
            try IDXFile(contentsOf: URL(fileURLWithPath: path))
        }
        let images = try (train: read(trainImages), test: read(testImages))
        let shape = images.train.shape
        guard shape.count == 3, !shape.contains(0) else {
            throw DatasetError(
                .format, "\(images.train.name): shape \(shape); expected images of [count, height, width]")
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
