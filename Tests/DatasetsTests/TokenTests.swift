import Datasets
import PerturbedEquations
import Testing

/// Sequences of tokens and windows of texts.
@Suite struct TokenTests {
    private static let key = NoiseKey(seed: 4)

    private func batch(_ split: DataSplit, _ positions: ArraySlice<Int>) -> ([Int64], [Int64]) {
        var inputs = [Int64](repeating: -7, count: positions.count * split.exampleSize + 1)
        var targets = [Int64](repeating: -7, count: positions.count * split.targetSize + 1)
        inputs.withUnsafeMutableBufferPointer { inputs in
            targets.withUnsafeMutableBufferPointer { targets in
                split.copyTokens(positions, into: inputs, targets: targets)
            }
        }
        #expect(inputs.popLast() == -7)
        #expect(targets.popLast() == -7)
        return (inputs, targets)
    }

    @Test func sequencesKeepTheirTargets() throws {
        let classes = try DataSplit(tokens: [1, 2, 3, 4, 5, 6], length: 3, targets: [8, 9], named: "t")
        #expect(classes.count == 2 && classes.targetSize == 1 && classes.labels == [8, 9])
        #expect(batch(classes, [1, 0]) == ([4, 5, 6, 1, 2, 3], [9, 8]))

        let ignored = TargetKind.ignored
        let masked = try DataSplit(
            tokens: [1, 2, 3, 4, 5, 6], length: 3, targets: [ignored, ignored, 7, 8, ignored, 9], named: "t")
        #expect(masked.targetSize == 3)
        #expect(masked.targetCount(of: [0]) == 1 && masked.targetCount(of: [0, 1]) == 3)
        let chosen = masked.selecting([1])
        #expect(batch(chosen, [0]) == ([4, 5, 6], [8, ignored, 9]) && chosen.targetCount(of: [0]) == 2)

        let error = #expect(throws: DatasetError.self) {
            try DataSplit(tokens: [1, 2, 3, 4], length: 2, targets: [1, 1, -100, -100], named: "t")
        }
        #expect(error?.message.contains("sequence 1 has no target") == true)
    }

    @Test func windowsAreFollowedByTheirTargets() throws {
        let text = (0..<10).map { Int32($0) }
        let all = try DataSplit(text: text, part: 0..<10, length: 3, overlapping: true, named: "t")
        #expect(all.count == 7 && all.examplesPerEpoch == 3 && all.targetCount(of: [0, 1]) == 6)
        #expect(batch(all, [6, 0]) == ([6, 7, 8, 0, 1, 2], [7, 8, 9, 1, 2, 3]))
        // Side by side, and only whole ones: the last target is the text's last token.
        let blocks = try DataSplit(text: text, part: 2..<9, length: 3, overlapping: false, named: "t")
        #expect(blocks.count == 2 && blocks.examplesPerEpoch == 2)
        #expect(batch(blocks, [0, 1]) == ([2, 3, 4, 5, 6, 7], [3, 4, 5, 6, 7, 8]))

        let error = #expect(throws: DatasetError.self) {
            try DataSplit(text: text, part: 0..<3, length: 3, overlapping: true, named: "a.txt")
        }
        #expect(error?.message.contains("a.txt has 3 tokens") == true)
        #expect(error?.message.contains("at least 4") == true)
    }

    @Test func blocksAreAddressedBySeedAndEpoch() throws {
        let text = [Int32](repeating: 1, count: 1000)
        let split = try DataSplit(text: text, part: 0..<1000, length: 10, overlapping: true, named: "t")
        let order = split.order(key: Self.key, epoch: 2)
        #expect(order.indices.count == 100 && order.indices.allSatisfy { (0..<990).contains($0) })
        #expect(split.order(key: Self.key, epoch: 2) == order)
        #expect(split.order(key: Self.key, epoch: 3) != order)
        #expect(split.order(key: NoiseKey(seed: 5), epoch: 2) != order)
        // Over many epochs every place is met about as often as any other: 100 draws each are expected here.
        var counts = [Int](repeating: 0, count: 990)
        for epoch in 0..<990 {
            for place in split.order(key: Self.key, epoch: epoch).indices { counts[place] += 1 }
        }
        #expect(counts.min()! > 50 && counts.max()! < 150)
    }

    /// The end of a text is set aside so that no training window sees a token of it.
    @Test func validationIsTheTextsEnd() throws {
        let text = (0..<100).map { Int32($0) }
        let split = try DataSplit(text: text, part: 0..<90, length: 4, overlapping: true, named: "t")
        let data = Dataset(
            name: "t", kind: ExampleKind(.tokens(vocabulary: 100, length: 4), .classPerToken(of: 100)),
            classNames: [], train: split, test: split)
        let carved = try data.carvingValidation(count: 20)
        let validation = try #require(carved.validation)
        func tokens(_ split: DataSplit) -> Set<Int64> {
            let (inputs, targets) = batch(split, ArraySlice(0..<split.count))
            return Set(inputs + targets)
        }
        #expect(tokens(carved.train).isDisjoint(with: tokens(validation)))
        #expect(tokens(carved.train) == Set(0..<66) && tokens(validation) == Set(66..<87))
        #expect(carved.train.examplesPerEpoch == 16 && carved.kind == data.kind)
        #expect(throws: DatasetError.self) { try data.carvingValidation(count: 86) }
        #expect(throws: DatasetError.self) { try data.carvingValidation(count: 83) }
    }
}
