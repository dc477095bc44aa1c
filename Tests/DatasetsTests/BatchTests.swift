import Datasets
import Foundation
import PerturbedEquations
import TestSupport
import Testing

@Suite struct BatchTests {
    /// The batch in arrays, with a mark after each buffer's end that must survive.
    private func batch(_ split: DataSplit, _ positions: ArraySlice<Int>) -> ([Float], [Int64]) {
        let size = positions.count * split.exampleSize
        var features = [Float](repeating: -99, count: size + 1)
        var labels = [Int64](repeating: -99, count: positions.count + 1)
        features.withUnsafeMutableBufferPointer { features in
            labels.withUnsafeMutableBufferPointer { labels in
                split.copyBatch(positions, into: features, labels: labels)
            }
        }
        #expect(features.popLast() == -99)
        #expect(labels.popLast() == -99)
        return (features, labels)
    }

    private let bytes = DataSplit(
        pixels: Data([0, 51, 102, 153, 204, 255]), scale: PixelScale(maximum: 255), labels: [7, 8, 9],
        exampleSize: 2)

    @Test func bytesBecomeNumbers() {
        let (features, labels) = batch(bytes, [2, 0])
        #expect(features == [0.8, 1, 0, 0.2])
        #expect(labels == [9, 7])
        #expect(batch(bytes, []).0.isEmpty)
    }

    @Test func scaleIsThatOfTorchvision() {
        let table = PixelScale(maximum: 255, mean: 0.2860, deviation: 0.3530).table
        for byte in 0..<256 {
            #expect(table[byte] == (Float(byte) / 255 - 0.2860) / 0.3530)
        }
    }

    @Test func floatsAreCopied() throws {
        let split = try DataSplit(features: [1, 2, 3, 4], labels: [0, 1], exampleSize: 2, named: "f")
        #expect(batch(split, [1, 0, 1]).0 == [3, 4, 1, 2, 3, 4])
        #expect(batch(split, [1, 0, 1]).1 == [1, 0, 1])
    }

    @Test func aSelectionOfASelectionRefersToTheStorage() {
        let chosen = bytes.selecting([2, 1]).selecting([1])
        #expect(chosen.count == 1)
        #expect(chosen.labels == [8])
        #expect(batch(chosen, [0]).0 == [0.4, 0.6])
    }

    @Test func batchesCoverTheOrder() {
        let order = EpochOrder(key: NoiseKey(seed: 3), epoch: 2, count: 103)
        #expect(order.indices.sorted() == Array(0..<103))
        #expect(order.batches(of: 10).count == 11)
        #expect(order.batches(of: 10).flatMap { $0 } == order.indices)
        #expect(order.batches(of: 10).last?.count == 3)
        #expect(order.batches(of: 10, dropLast: true).count == 10)
        #expect(order.batches(of: 10, dropLast: true).flatMap { $0 } == Array(order.indices.prefix(100)))
        #expect(order.batches(of: 200).map(\.count) == [103])
        #expect(order.batches(of: 200, dropLast: true).isEmpty)
        #expect(EpochOrder(unshuffled: 3).indices == [0, 1, 2])
        #expect(EpochOrder(key: NoiseKey(seed: 3), epoch: 0, count: 0).batches(of: 4).isEmpty)
    }

    @Test func theOrderIsAFunctionOfSeedAndEpoch() async {
        let key = NoiseKey(seed: 11)
        let expected = (0..<8).map { EpochOrder(key: key, epoch: $0, count: 1000).indices }
        #expect(Set(expected).count == 8)
        #expect(EpochOrder(key: NoiseKey(seed: 12), epoch: 0, count: 1000).indices != expected[0])
        // In another order and on other threads it is the same.
        await withTaskGroup(of: (Int, [Int]).self) { group in
            for epoch in (0..<8).reversed() {
                group.addTask { (epoch, EpochOrder(key: key, epoch: epoch, count: 1000).indices) }
            }
            for await (epoch, indices) in group { #expect(indices == expected[epoch]) }
        }
    }

    /// Over many epochs, every example comes in every place about equally often.
    @Test func shufflesAreUniform() {
        let epochs = 6000
        var counts = [Int](repeating: 0, count: 36)
        for epoch in 0..<epochs {
            let order = EpochOrder(key: NoiseKey(seed: 5), epoch: epoch, count: 6).indices
            for (place, example) in order.enumerated() { counts[place * 6 + example] += 1 }
        }
        // χ² with 25 degrees of freedom; 60 has a probability of about 1e-4, and the seed is fixed.
        let expected = Double(epochs) / 6
        let statistic = counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
        #expect(statistic < 60)
    }

    @Test func validationIsCarvedOnceAndForAll() throws {
        let data = try DatasetCatalogue.load("digits").carvingValidation(count: 237)
        let again = try DatasetCatalogue.load("digits").carvingValidation(count: 237)
        #expect(data.train.count == 1200)
        #expect(data.validation?.count == 237)
        #expect(data.test.count == 360)
        #expect(data.train.labels == again.train.labels)
        #expect(data.validation?.labels == again.validation?.labels)
        for count in [0, -1, 1437] {
            let error = #expect(throws: DatasetError.self) {
                try DatasetCatalogue.load("digits").carvingValidation(count: count)
            }
            #expect(error?.message.contains("allowed: 1 to 1436") == true)
        }
        #expect(throws: DatasetError.self) { try data.carvingValidation(count: 1) }
    }
}
