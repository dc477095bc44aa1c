import Datasets
import Foundation
import TestSupport
import Testing

/// Texts and made sequences, against their definitions.
@Suite struct SequenceSourceTests {
    /// The tokens and targets of a part's first examples.
    static func rows(_ split: DataSplit, _ count: Int) -> [(tokens: [Int64], targets: [Int64])] {
        (0..<count).map { row in
            let size = split.targetSize
            var tokens = [Int64](repeating: -1, count: split.exampleSize)
            var targets = [Int64](repeating: -1, count: size)
            tokens.withUnsafeMutableBufferPointer { tokens in
                targets.withUnsafeMutableBufferPointer { targets in
                    split.copyTokens(ArraySlice([row]), into: tokens, targets: targets)
                }
            }
            return (tokens, targets)
        }
    }

    @Test func sumsAreRight() throws {
        let data = try ModularAddition(modulus: 7, trainFraction: 0.6).load(from: DataLocations())
        #expect(data.train.count + data.test.count == 49 && data.train.count == 29)
        var seen: Set<[Int64]> = []
        for part in [data.train, data.test] {
            for (tokens, targets) in Self.rows(part, part.count) {
                #expect(tokens[1] == 7 && tokens[3] == 8)
                #expect(targets == [(tokens[0] + tokens[2]) % 7])
                seen.insert(tokens)
            }
        }
        #expect(seen.count == 49)
    }

    @Test func copiesAreAskedForAfterTheMark() throws {
        let data = try CopyTask(symbols: 5, length: 4, train: 50, test: 10).load(from: DataLocations())
        var firsts: Set<Int64> = []
        for (tokens, targets) in Self.rows(data.train, 50) {
            #expect(tokens[4] == 5 && tokens.allSatisfy { (0...5).contains($0) })
            #expect(Array(tokens[5...]) == Array(tokens[..<3]))
            #expect(targets[..<4].allSatisfy { $0 == TargetKind.ignored })
            #expect(Array(targets[4...]) == Array(tokens[..<4]))
            firsts.insert(tokens[0])
        }
        #expect(firsts == [0, 1, 2, 3, 4])
        #expect(data.test.count == 10)
    }

    @Test func parityCountsOnes() throws {
        let data = try ParityTask(length: 9, train: 64, test: 8).load(from: DataLocations())
        let rows = Self.rows(data.train, 64)
        for (tokens, targets) in rows { #expect(targets == [tokens.reduce(0, +) % 2]) }
        #expect(Set(rows.map { $0.targets[0] }) == [0, 1])
        // The same at every load, and not the test's.
        let again = try ParityTask(length: 9, train: 64, test: 8).load(from: DataLocations())
        #expect(Self.rows(again.train, 8).map(\.tokens) == rows.prefix(8).map(\.tokens))
        #expect(Self.rows(data.test, 8).map(\.tokens) != rows.prefix(8).map(\.tokens))
    }

    @Test func aTextIsCutInCharacters() throws {
        let directory = try TemporaryDirectory()
        let text = String(repeating: "añ🙂b\n", count: 40)
        try text.write(to: directory.file("t.txt"), atomically: true, encoding: .utf8)
        let data = try TextData(file: directory.file("t.txt").path, length: 8).load(from: DataLocations())
        #expect(data.classNames == ["\n", "a", "b", "ñ", "🙂"])
        #expect(Characters(of: text).decode([1, 3, 4]) == "añ🙂")
        // The last 10%, side by side: 20 characters hold two blocks of 8 and the token after.
        #expect(data.test.count == 2)
        let (tokens, targets) = Self.rows(data.test, 1)[0]
        #expect(tokens == [1, 3, 4, 2, 0, 1, 3, 4] && targets == [3, 4, 2, 0, 1, 3, 4, 2])
    }

    @Test func badTextsAreNamed() throws {
        let directory = try TemporaryDirectory()
        try Data("too short".utf8).write(to: directory.file("short.txt"))
        try Data([0x61, 0xFF, 0x62]).write(to: directory.file("bytes.txt"))
        for (name, words) in [("short.txt", "too few for one block"), ("bytes.txt", "is not UTF-8")] {
            let error = #expect(throws: DatasetError.self) {
                try TextData(file: directory.file(name).path, length: 64).load(from: DataLocations())
            }
            #expect(error?.message.contains(name) == true && error?.message.contains(words) == true)
        }
        #expect(throws: (any Error).self) {
            try TextData(file: directory.file("none.txt").path).load(from: DataLocations())
        }
    }
}
