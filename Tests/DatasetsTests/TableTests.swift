import Datasets
import Foundation
import TestSupport
import Testing

/// CSV and LIBSVM tables: what they mean, and what is refused where.
@Suite struct TableTests {
    private static func csv(_ text: String, _ format: CSVFormat = CSVFormat(label: .named("y"))) throws
        -> LabelledTable
    {
        try LabelledTable(csv: Data(text.utf8), named: "t.csv", format)
    }

    private static func libsvm(_ text: String, features: Int? = nil) throws -> LabelledTable {
        try LabelledTable(libsvm: Data(text.utf8), named: "t.svm", features: features)
    }

    /// All examples of a part.
    private static func contents(_ split: DataSplit) -> (features: [Float], labels: [Int64]) {
        var features = [Float](repeating: 0, count: split.count * split.exampleSize)
        var labels = [Int64](repeating: 0, count: split.count)
        features.withUnsafeMutableBufferPointer { features in
            labels.withUnsafeMutableBufferPointer {
                split.copyBatch((0..<split.count).map { $0 }[...], into: features, labels: $0)
            }
        }
        return (features, labels)
    }

    private static func message(_ body: () throws -> Void) -> String {
        (#expect(throws: DatasetError.self) { try body() })?.message ?? ""
    }

    // MARK: CSV

    @Test func csvIsRead() throws {
        let table = try Self.csv("\u{FEFF}a,y,b\r\n1,red,2.5\r\n\r\n-3e2,\"bl\"\"u,e\n\", .5 \n")
        #expect(table.columns == ["a", "b"])
        #expect(table.width == 2 && table.count == 2)
        #expect(table.features == [1, 2.5, -300, 0.5])
        #expect(table.labels == ["red", "bl\"u,e\n"])
    }

    @Test func columnsGoByNameAndPlace() throws {
        let format = CSVFormat(label: .at(-1), header: false, ignore: [.at(0)], delimiter: UInt8(ascii: ";"))
        let table = try Self.csv("id1;1;2;x\nid2;3;4;y\n", format)
        #expect(table.features == [1, 2, 3, 4])
        #expect(table.labels == ["x", "y"])
        #expect(table.columns.isEmpty)
    }

    @Test(arguments: [
        ("a,y\n1,2\n3\n", "t.csv, line 3: 1 columns; expected 2, as in line 1"),
        ("a,y\n1,2,3\n", "t.csv, line 2: 3 columns; expected 2"),
        (
            "a,y\n1,\"0\n\"\n,1\n",
            "t.csv, line 4, column 1 ('a'): the value is missing; allowed: a finite number"
        ),
        ("a,y\nNA,0\n", "t.csv, line 2, column 1 ('a'): the value is missing ('NA')"),
        ("a,y\n1,\n", "t.csv, line 2, column 2 ('y'): the value is missing; allowed: a label"),
        ("a,y\nred,0\n", "line 2, column 1 ('a'): the value is 'red'; allowed: a finite number"),
        ("a,y\n1e99,0\n", "the value is '1e99'; allowed: a finite number"),
        ("a,y\n0x10,0\n", "the value is '0x10'; allowed: a finite number"),
        ("a,b\n1,2\n", "t.csv: there is no column 'y'; the header has: a, b"),
        ("a,a,y\n1,2,3\n", "two columns are called 'a'"),
        ("y\n1\n", "0 columns are left beside the label"),
        ("a,y\n", "t.csv: there are no rows"),
        ("", "t.csv: the file is empty"),
        ("a,y\n\"1,2\n3,4\n", "t.csv, line 2, column 1: a quote is opened and never closed"),
        ("a,y\n\"1\"2,3\n", "t.csv, line 2, column 1: has text after the closing quote"),
        ("a,y\n1\"2\",3\n", "t.csv, line 2, column 1: has a quote inside an unquoted field"),
        ("a,y\n1,2\u{0}\n", "t.csv, line 2, column 2: has a byte 0"),
    ])
    func badCSVIsRefused(text: String, words: String) {
        let message = Self.message { _ = try Self.csv(text) }
        #expect(message.contains(words), "\(message)")
    }

    @Test func badColumnsAreRefused() {
        let far = Self.message { _ = try Self.csv("1,2\n", CSVFormat(label: .at(2), header: false)) }
        #expect(far.contains("there is no column 2; allowed: 0 to 1"), "\(far)")
        let named = Self.message { _ = try Self.csv("1,2\n", CSVFormat(label: .named("y"), header: false)) }
        #expect(named.contains("the file has no header"), "\(named)")
    }

    // MARK: LIBSVM

    @Test func libsvmIsRead() throws {
        let table = try Self.libsvm("+1 1:0.5 3:-2 # a comment\n\n-1 2:1e1\n1.0\n")
        #expect(table.width == 3)
        #expect(table.features == [0.5, 0, -2, 0, 10, 0, 0, 0, 0])
        let data = try Dataset(name: "t", train: table, test: Self.libsvm("-1 4:7\n"))
        #expect(data.inputShape == [4])
        #expect(data.classNames == ["-1", "1"])
        #expect(Self.contents(data.train).labels == [1, 0, 1])
        #expect(Self.contents(data.train).features == [0.5, 0, -2, 0, 0, 10, 0, 0, 0, 0, 0, 0])
        #expect(Self.contents(data.test) == ([0, 0, 0, 7], [0]))
    }

    @Test(arguments: [
        ("1 0:1\n", "t.svm, line 1, column 2: the index is 0; allowed: from 1, and rising"),
        ("1 2:1 2:3\n", "t.svm, line 1, column 3: the index is 2 after 2"),
        ("0\n1 1:1 x\n", "t.svm, line 2, column 3: the entry is 'x'; allowed: index:value"),
        ("1 1:\n", "the entry is '1:'"), ("1 1:nan\n", "the entry is '1:nan'"),
        ("1 1:2:3\n", "the entry is '1:2:3'"),
        ("a 1:1\n", "t.svm, line 1, column 1: the label is 'a'; allowed: a finite number"),
        ("1 2000000000:1\n", "the index is 2000000000; allowed: 1 to 1000000"),
        ("1\n2\n", "t.svm: no row has a number"), ("", "no row has a number"),
    ])
    func badLIBSVMIsRefused(text: String, words: String) {
        let message = Self.message { _ = try Self.libsvm(text) }
        #expect(message.contains(words), "\(message)")
    }

    /// A small file that names a large index would take 8 GB with its zeros: it is refused before that.
    @Test func aHugeTableIsRefused() {
        let text = String(repeating: "1 1:1\n", count: 2000) + "1 1000000:1\n"
        let message = Self.message { _ = try Self.libsvm(text) }
        #expect(message.contains("2001 rows of 1000000 numbers; allowed: 2³⁰ numbers"), "\(message)")
    }

    // MARK: Data sets

    @Test func columnsAreStandardised() throws {
        let table = try Self.csv("a,b,y\n1,7.1,0\n3,7.1,1\n5,7.1,0\n")
        let data = try Dataset(
            name: "t", train: table, test: Self.csv("a,b,y\n3,9,1\n"), TableOptions(standardise: true))
        let unit = Float(1.5.squareRoot())
        #expect(Self.contents(data.train).features == [-unit, 0, 0, 0, unit, 0])
        #expect(Self.contents(data.test).features == [0, 0])
    }

    /// Without a file for testing a share of the rows is for it, the same every time, and the statistics are those of the
    /// rest.
    @Test func aShareIsForTesting() throws {
        var text = "a,y\n"
        for row in 0..<50 { text += "\(row),\(row % 3)\n" }
        let data = try Dataset(name: "t", train: Self.csv(text), test: nil)
        #expect((data.train.count, data.test.count) == (40, 10))
        let all = Self.contents(data.train).features + Self.contents(data.test).features
        #expect(Set(all) == Set((0..<50).map(Float.init)))
        #expect(Self.contents(data.train).labels == Self.contents(data.train).features.map { Int64($0) % 3 })
        let scaled = try Dataset(name: "t", train: Self.csv(text), test: nil, TableOptions(standardise: true))
        let values = Self.contents(scaled.train).features
        #expect(abs(values.reduce(0, +)) < 1e-4)
        #expect(abs(values.reduce(0) { $0 + $1 * $1 } / 40 - 1) < 1e-4)
    }

    @Test func labelsBecomeClasses() throws {
        let rows = try Self.csv("a,y\n1,10\n2,9\n3,10.0\n4,-1\n")
        let numbers = try Dataset(name: "t", train: rows, test: rows)
        #expect(numbers.classNames == ["-1", "9", "10"])
        #expect(numbers.test.labels == [2, 1, 2, 0])
        let words = try Dataset(
            name: "t", train: Self.csv("a,y\n1,b\n2,a\n3,10\n"), test: Self.csv("a,y\n1,b\n"))
        #expect(words.classNames == ["10", "a", "b"])
        #expect(words.test.labels == [2])
        let counted = try Dataset(
            name: "t", train: Self.csv("a,y\n1,0\n2,3\n"), test: Self.csv("a,y\n1,2\n"),
            TableOptions(classes: 5))
        #expect(counted.classNames == ["0", "1", "2", "3", "4"])
        #expect(counted.test.labels == [2])
    }

    @Test func wrongLabelsAreRefused() throws {
        let train = try Self.csv("a,y\n1,0\n2,7\n")
        let range = Self.message {
            _ = try Dataset(name: "t", train: train, test: train, TableOptions(classes: 7))
        }
        #expect(
            range.contains(
                "t.csv, line 3, column 2 ('y'): the label is '7'; allowed: whole numbers from 0 to 6"),
            "\(range)")
        let unseen = Self.message { _ = try Dataset(name: "t", train: train, test: Self.csv("a,y\n\n1,8\n")) }
        #expect(
            unseen.contains("line 3, column 2 ('y'): the label is '8'; allowed: the labels of the training"),
            "\(unseen)")
        let one = Self.message { _ = try Dataset(name: "t", train: Self.csv("a,y\n1,0\n2,0\n"), test: train) }
        #expect(one.contains("1 different value; allowed: 2 to 1000 classes"), "\(one)")
        let other = Self.message { _ = try Dataset(name: "t", train: train, test: Self.csv("b,y\n1,7\n")) }
        #expect(other.contains("column 'b' stands where t.csv has 'a'"), "\(other)")
        let few = Self.message { _ = try Dataset(name: "t", train: train, test: nil) }
        #expect(few.contains("allowed: 1 to 1"), "\(few)")
    }

    /// Random damage is refused or read, and never a crash.
    @Test(arguments: 0..<20) func damagedTablesNeverCrash(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let alphabet = Array("01.-+e:,;\"\n\r #y\u{0}é".utf8)
        let texts = [Array("a,y\n1,0\n2,1\n".utf8), Array("1 1:2 3:4\n0 2:1\n".utf8)]
        for _ in 0..<500 {
            var text = texts[Int.random(in: 0..<2, using: &random)]
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let place = Int.random(in: 0..<text.count, using: &random)
                if Bool.random(using: &random) {
                    text[place] = alphabet.randomElement(using: &random)!
                } else {
                    text.insert(alphabet.randomElement(using: &random)!, at: place)
                }
            }
            for table in [
                try? LabelledTable(csv: Data(text), named: "t", CSVFormat(label: .at(-1))),
                try? LabelledTable(libsvm: Data(text), named: "t"),
            ] {
                guard let table else { continue }
                #expect(table.features.count == table.count * table.width)
                _ = try? Dataset(name: "t", train: table, test: table, TableOptions(standardise: true))
            }
        }
    }

    /// a9a as it lies in PEO_DATA, with the labels 0 and 1 or −1 and +1, is what was published.
    @Test(.enabled(if: Self.a9a != nil, "PEO_DATA has no a9a")) func a9aIsTheOriginal() throws {
        var locations = DataLocations(environment: [:], downloader: Downloader(isAllowed: false))
        locations.searchFolders = [try #require(Self.a9a)]
        let data = try DatasetCatalogue.load("a9a", from: locations)
        #expect([32_561, 32_560].contains(data.train.count) && data.test.count == 16_281)
        #expect(data.inputShape == [123])
        // The counts that the source states.
        #expect(data.train.labels.reduce(0, +) == 7841)
        #expect(data.test.labels.reduce(0, +) == 3846)
    }

    private static let a9a: URL? = (ProcessInfo.processInfo.environment["PEO_DATA"] ?? "").split(
        separator: ":"
    )
    .map { URL(fileURLWithPath: String($0)) }
    .first { FileManager.default.fileExists(atPath: $0.appendingPathComponent("a9a/a9a.t").path) }
}
