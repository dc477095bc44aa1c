import Foundation
import PerturbedEquations
import Safetensors
import Synchronization

/// Images of one's own: a folder with a folder for each class, in which are PNG and JPEG files.
///
/// The classes are the folders' names in order; files with other endings are passed over. All images are brought to one
/// size and held in memory as bytes; a byte becomes (byte/255 − mean)/deviation in its channel.
///
/// ```yaml
/// data: {images: {train: photos, size: 32}}                    # a fifth of each class is set aside for testing
/// data: {images: {train: photos/train, test: photos/test, size: [48, 64], channels: 1, unreadable: skip}}
/// ```
public struct ImageFolder: DataSource {
    /// What is done with a file that cannot be read.
    public enum Unreadable: String, Codable, Sendable, CaseIterable {
        /// Loading ends with an error that names it.
        case refuse
        /// It is left out, and a warning names it.
        case skip
    }

    /// How an image of other proportions is brought to the size.
    public enum Fit: String, Codable, Sendable, CaseIterable {
        /// Its middle is cut out in the size's proportions.
        case crop
        /// It is stretched.
        case stretch
    }

    /// The folder of the classes' folders.
    public var train: String
    /// The same for measuring, with the same classes; nil: a part of `train`.
    public var test: String?
    /// The share of each class that is set aside where there is no `test` (default 0.2).
    public var testFraction: Double
    /// Height and width in pixels, each 1 to 4096; one number for a square.
    public var size: [Int]
    /// 3: red, green, blue (the default); 1: luma.
    public var channels: Int
    /// crop unless told.
    public var fit: Fit
    /// refuse unless told.
    public var unreadable: Unreadable
    /// Subtracted from a byte/255, for each channel or for all (default 0.5).
    public var mean: [Double]
    /// What it is then divided by, > 0 (default 0.25).
    public var deviation: [Double]

    private enum CodingKeys: String, CodingKey {
        case train, test, testFraction, size, channels, fit, unreadable, mean, deviation
    }

    public init(from decoder: any Decoder) throws {
        let settings = try SourceSettings(decoder, keyedBy: CodingKeys.self)
        func list<Value: Decodable>(_ key: CodingKeys, _ value: [Value]?) throws -> [Value] {
            if let one = try? settings.container.decode(Value.self, forKey: key) { return [one] }
            guard let value else { return try settings.value(key) }
            return try settings.value(key, default: value)
        }
        train = try settings.value(.train)
        test = try settings.optional(.test)
        testFraction = try settings.share(.testFraction, default: 0.2)
        size = try list(.size, nil)
        channels = try settings.value(.channels, default: 3)
        fit = try settings.value(.fit, default: .crop)
        unreadable = try settings.value(.unreadable, default: .refuse)
        mean = try list(.mean, [0.5])
        deviation = try list(.deviation, [0.25])
        if size.count == 1 { size.append(size[0]) }
        try settings.check(
            size.count == 2 && size.allSatisfy { (1...4096).contains($0) }, .size,
            "is \(size); allowed: one number, or [height, width], from 1 to 4096")
        try settings.check(channels == 1 || channels == 3, .channels, "is \(channels); allowed: 1, 3")
        try settings.check(
            [1, channels].contains(mean.count) && mean.allSatisfy { Float($0).isFinite }, .mean,
            "is \(mean); allowed: one number, or one for each of the \(channels) channels")
        try settings.check(
            [1, channels].contains(deviation.count)
                && deviation.allSatisfy { Float($0) > 0 && Float($0).isFinite },
            .deviation,
            "is \(deviation); allowed: one number above 0, or one for each of the \(channels) channels")
    }

    public static let entry = CatalogueEntry(
        name: "images", summary: "your own images, PNG and JPEG, in a folder for each class",
        equation: "x = (byte/255 − mean)/deviation ∈ ℝ^(channels×height×width)",
        parameters: [
            .init("train", "path", allowed: "a folder of folders", "images to fit with; a folder per class"),
            .init(
                "test", "path", default: "none", allowed: "a folder with the same classes",
                "images to measure on; none: a part of train"),
            .init(
                "testFraction", "number", default: "0.2", allowed: "0 < fraction < 1",
                "the share of each class set aside without a test folder"),
            .init(
                "size", "integer or list", allowed: "1 to 4096, or [height, width]", unit: "pixels",
                "what all images are brought to"),
            .init("channels", "integer", default: "3", allowed: "1, 3", "luma, or red, green, blue"),
            .init(
                "fit", "name", default: "crop", allowed: "crop, stretch",
                "other proportions: the middle is cut out, or all is stretched"),
            .init(
                "unreadable", "name", default: "refuse", allowed: "refuse, skip",
                "a damaged file: an error, or left out with a warning; named either way"),
            .init("mean", "number or list", default: "0.5", allowed: "numbers", "subtracted from a byte/255"),
            .init(
                "deviation", "number or list", default: "0.25", allowed: "> 0",
                "what that is then divided by"),
        ], source: "your files")

    public func resolved() -> ImageFolder {
        var data = self
        data.train = fullPath(train)
        data.test = test.map(fullPath)
        return data
    }

    public func load(from _: DataLocations) throws -> Dataset {
        let folder = try LabelledFiles(folder: train, classes: nil)
        var warnings: [String] = []
        let all = try read(folder, &warnings)
        let parts: (train: DataSplit, test: DataSplit)
        if let test {
            let files = try LabelledFiles(folder: test, classes: folder.classes)
            parts = (all, try read(files, &warnings))
        } else {
            parts = try split(all, folder.classes)
        }
        return Dataset(
            name: "images", kind: .numbers([channels] + size, classes: folder.classes.count),
            classNames: folder.classes, train: parts.train, test: parts.test, warnings: warnings)
    }

    /// The last ones of a fixed order of each class are for testing, at least one; both parts keep the files' order.
    private func split(_ all: DataSplit, _ classes: [String]) throws -> (DataSplit, DataSplit) {
        var test: Set<Int> = []
        let labels = all.labels
        for (label, name) in classes.enumerated() {
            let own = labels.indices.filter { labels[$0] == Int64(label) }
            guard own.count >= 2 else {
                throw DatasetError(
                    .request,
                    "\(train)/\(name) has \(own.count) image; allowed without a test folder: 2 or more in each class"
                )
            }
            let count = min(own.count - 1, max(1, Int((Double(own.count) * testFraction).rounded())))
            let order = NoiseKey(seed: 0).derived("images").derived(name).permutation(of: own.count)
            test.formUnion(order.suffix(count).map { own[$0] })
        }
        return (
            all.selecting(labels.indices.filter { !test.contains($0) }), all.selecting(test.sorted())
        )
    }

    private func read(_ files: LabelledFiles, _ warnings: inout [String]) throws -> DataSplit {
        let results = Mutex<[Int: Result<[UInt8], any Error>]>([:])
        // Refused files end the reading soon; which one is named does not depend on the threads: the first.
        DispatchQueue.concurrentPerform(iterations: files.files.count) { index in
            let result = Result { try self.pixels(of: files.files[index].url) }
            results.withLock { $0[index] = result }
        }
        let exampleSize = channels * size[0] * size[1]
        var (pixels, labels, skipped) = (Data(), [Int64](), [String]())
        pixels.reserveCapacity(files.files.count * exampleSize)
        let read = results.withLock { $0 }
        for (index, file) in files.files.enumerated() {
            do {
                pixels.append(contentsOf: try read[index]!.get())
                labels.append(Int64(file.label))
            } catch let error as DatasetError where unreadable == .skip {
                skipped.append(error.message)
            } catch let error as DatasetError {
                throw DatasetError(
                    error.code, error.message + " (data.images.unreadable: skip would leave it out)")
            }
        }
        if !skipped.isEmpty {
            let more = skipped.count > 5 ? "; and \(skipped.count - 5) more" : ""
            warnings.append(
                "\(skipped.count) of \(files.files.count) images were left out: "
                    + skipped.prefix(5).joined(separator: "; ") + more)
        }
        let present = Set(labels)
        if let empty = files.classes.indices.first(where: { !present.contains(Int64($0)) }) {
            throw DatasetError(
                .format, "\(files.folder)/\(files.classes[empty]) has no image that can be read")
        }
        let scales = (0..<channels).map {
            PixelScale(
                maximum: 255, mean: Float(mean[mean.count == 1 ? 0 : $0]),
                deviation: Float(deviation[deviation.count == 1 ? 0 : $0]))
        }
        return DataSplit(pixels: pixels, scales: scales, labels: labels, exampleSize: exampleSize)
    }

    private func pixels(of url: URL) throws -> [UInt8] {
        let file = try ImageFile(MappedFile.contents(of: url), named: url.path)
        let image = fit == .crop ? file.cropped(toProportionsOf: size[0], size[1]) : file
        return image.planes(height: size[0], width: size[1], channels: channels)
    }
}
