import Foundation
import PerturbedEquations

extension DatasetEntry {
    /// Handwritten digits, 1,797 images of 8×8 with values from 0 to 16; built in.
    ///
    /// They are the test set of the original, whose 13 writers are not told apart here. Which 1,437 images
    /// are for training and which 360 for testing is fixed: the first 1,437 of
    /// `NoiseKey(seed: 0).derived("digits").permutation(of: 1797)` are for training; both parts keep the
    /// original order.
    ///
    /// Source: E. Alpaydin, C. Kaynak (1998), *Optical Recognition of Handwritten Digits*, UCI Machine
    /// Learning Repository, doi:10.24432/C50P49, licensed under CC BY 4.0.
    public static let digits = DatasetEntry(
        name: "digits", summary: "handwritten digits, 8×8 grey, built in", inputShape: [1, 8, 8],
        classNames: (0...9).map(String.init), trainCount: 1437, testCount: 360,
        scale: DigitsImages.scale,
        source: "Alpaydin and Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine "
            + "Learning Repository, doi:10.24432/C50P49 (its test set)",
        licence: "CC BY 4.0", files: [],
        load: { entry, _ in
            let all = try DigitsImages.all(scale: DigitsImages.scale)
            let order = NoiseKey(seed: 0).derived("digits").permutation(of: all.count)
            return Dataset(
                name: entry.name, inputShape: entry.inputShape, classNames: entry.classNames,
                train: all.selecting(order.prefix(entry.trainCount).sorted()),
                test: all.selecting(order.dropFirst(entry.trainCount).sorted()))
        })
}

/// The embedded images.
package enum DigitsImages {
    package static let count = 1797
    static let pixels = 64
    static let scale = PixelScale(maximum: 16, mean: 0.3053, deviation: 0.3760)

    /// Pixels and then labels, as bytes.
    package static func unpacked() throws -> Data {
        guard let packed = Data(base64Encoded: digitsBase64, options: .ignoreUnknownCharacters) else {
            throw DatasetError(.format, "the embedded digits are not base64")
        }
        let size = count * (pixels + 1)
        let bytes = try Gzip.inflate(packed, limit: size, named: "the embedded digits")
        guard bytes.count == size else {
            throw DatasetError(.format, "the embedded digits have \(bytes.count) bytes; expected \(size)")
        }
        return bytes
    }

    static func all(scale: PixelScale) throws -> DataSplit {
        let bytes = try unpacked()
        return DataSplit(
            pixels: bytes.prefix(count * pixels), scale: scale,
            labels: bytes.suffix(count).map { Int64($0) }, exampleSize: pixels)
    }
}
