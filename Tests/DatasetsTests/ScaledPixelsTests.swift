import Datasets
import Foundation
import Testing

/// Pixels of one data set, standardised as another's.
@Suite struct ScaledPixelsTests {
    private static func values(_ split: DataSplit) -> [Float] {
        var values = [Float](repeating: 0, count: split.count * split.exampleSize)
        var labels = [Int64](repeating: 0, count: split.count)
        values.withUnsafeMutableBufferPointer { values in
            labels.withUnsafeMutableBufferPointer {
                split.copyBatch(Array(0..<split.count)[...], into: values, labels: $0)
            }
        }
        return values
    }

    private static func split(_ bytes: [UInt8], _ scales: PixelScale...) -> DataSplit {
        DataSplit(pixels: Data(bytes), scales: scales, labels: [0, 1], exampleSize: bytes.count / 2)
    }

    /// A byte stands for the same share of the way from dark to bright, in the other's units.
    @Test func aByteMeansWhatItMeansThere() throws {
        let bytes: [UInt8] = [0, 1, 77, 254, 255, 128]
        let own = PixelScale(maximum: 255, mean: 0.2860, deviation: 0.3530)
        let other = PixelScale(maximum: 255, mean: 0.1307, deviation: 0.3081)
        let found = try #require(Self.split(bytes, own).scaled(as: Self.split(bytes, other)))
        for (value, wanted) in zip(Self.values(found), Self.values(Self.split(bytes, other))) {
            #expect(abs(value - wanted) < 1e-6)
        }
        #expect(found.pixelRanges(channels: 1) == [other.range] && found.labels == [0, 1])
        // Of sixteen levels the brightest is the brightest.
        let levels = try #require(
            Self.split([0, 4, 8, 12, 16, 16], PixelScale(maximum: 16)).scaled(as: Self.split(bytes, other)))
        let shares = Self.values(levels).map { $0 * 0.3081 + 0.1307 }
        for (share, wanted) in zip(shares, [0, 0.25, 0.5, 0.75, 1, 1] as [Float]) {
            #expect(abs(share - wanted) < 1e-6)
        }
        // Only some of the examples, and as they are where the scale is the same.
        let last = try #require(
            Self.split(bytes, own).selecting([1]).scaled(as: Self.split(bytes, own)))
        #expect(Self.values(last) == Array(Self.values(Self.split(bytes, own)).suffix(3)))
    }

    @Test func channelsHaveTheirOwnScales() throws {
        let bytes: [UInt8] = [0, 255, 0, 255, 0, 255, 10, 20, 30, 40, 50, 60]
        let grey = PixelScale(maximum: 255, mean: 0.5, deviation: 0.5)
        let scales = [0.1, 0.2, 0.3].map { PixelScale(maximum: 255, mean: Float($0), deviation: 0.25) }
        let coloured = Self.split(bytes, scales[0], scales[1], scales[2])
        for (from, to) in [(Self.split(bytes, grey), coloured), (coloured, Self.split(bytes, grey))] {
            let found = try #require(from.scaled(as: to))
            for (value, wanted) in zip(Self.values(found), Self.values(to)) {
                #expect(abs(value - wanted) < 1e-5)
            }
        }
    }

    @Test func floatsHaveNoSuchScale() throws {
        let floats = try DataSplit(features: [1, 2], labels: [0, 1], exampleSize: 1, named: "floats")
        let bytes = Self.split([0, 255], PixelScale(maximum: 255))
        #expect(floats.scaled(as: bytes) == nil && bytes.scaled(as: floats) == nil)
    }
}
