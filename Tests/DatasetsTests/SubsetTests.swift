import Datasets
import Foundation
import PerturbedEquations
import Testing

/// `data: {subset: {…}}`: fewer training examples.
@Suite struct SubsetTests {
    private static func subset(_ json: String) throws -> SubsetData {
        try JSONDecoder().decode(SubsetData.self, from: Data(json.utf8))
    }

    /// Each example's numbers and label.
    private static func examples(_ split: DataSplit) -> [[Float]] {
        (0..<split.count).map { row in
            var features = [Float](repeating: 0, count: split.exampleSize)
            var label: [Int64] = [0]
            features.withUnsafeMutableBufferPointer { features in
                label.withUnsafeMutableBufferPointer {
                    split.copyBatch(ArraySlice([row]), into: features, labels: $0)
                }
            }
            return features + [Float(label[0])]
        }
    }

    @Test func subsetsAreNestedAndKeepTheTestData() throws {
        let whole = try DatasetEntry.digits.load()
        let small = try Self.subset(#"{"of": "digits", "count": 100}"#).load(from: DataLocations())
        let large = try Self.subset(#"{"of": "digits", "count": 300}"#).load(from: DataLocations())
        #expect(small.train.count == 100 && large.train.count == 300)
        #expect(small.test.count == whole.test.count && small.kind == whole.kind)
        let (all, many, few) = (
            Set(Self.examples(whole.train)), Set(Self.examples(large.train)), Set(Self.examples(small.train))
        )
        #expect(few.isSubset(of: many) && many.isSubset(of: all))
        // Drawn from everywhere, so that all classes are there.
        #expect(Set(small.train.labels).count == 10)
        #expect(
            Self.examples(small.train)
                == Self.examples(
                    try Self.subset(#"{"of": "digits", "count": 100}"#).load(from: DataLocations()).train))
        let every = try Self.subset(#"{"of": "digits", "count": 1437}"#).load(from: DataLocations())
        #expect(Self.examples(every.train) == Self.examples(whole.train))
    }

    @Test(arguments: [
        (#"{"of": "mnits", "count": 10}"#, "did you mean 'mnist'?"),
        (#"{"of": "digits", "count": 0}"#, "is 0; allowed: 1 to 1437"),
        (#"{"of": "digits", "count": 1438}"#, "is 1438; allowed: 1 to 1437"),
    ])
    func mistakesAreNamed(json: String, words: String) {
        #expect {
            _ = try Self.subset(json)
        } throws: { error in
            "\(error)".contains(words)
        }
    }
}
