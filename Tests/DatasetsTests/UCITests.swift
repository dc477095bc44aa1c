import Datasets
import Foundation
import PerturbedEquations
import TestSupport
import Testing

/// The regression tables: their files, their cuts, and what is refused where.
@Suite struct UCITests {
    static let sets: [any UCIRegression.Type] = [
        UCIConcrete.self, UCIEnergy.self, UCIYacht.self, UCIWineQualityRed.self, UCIKin8nm.self,
    ]

    @Test func cutsCoverTheRowsOnceAndDiffer() {
        for set in Self.sets {
            let table = set.table
            var seen: Set<[Int]> = []
            for split in 0..<UCITable.splits {
                let (train, test) = table.rows(ofSplit: split)
                #expect(train.count == table.trainCount && train == train.sorted() && test == test.sorted())
                #expect((train + test).sorted() == Array(0..<table.rows), "\(table.name) \(split)")
                #expect(seen.insert(test).inserted, "\(table.name): cut \(split) is another's")
                let again = table.rows(ofSplit: split)
                #expect(again.train == train && again.test == test)
            }
        }
        // The cut is the documented one.
        let order = NoiseKey(seed: 0).derived("uci-yacht").derived(UInt64(7)).permutation(of: 308)
        #expect(UCIYacht.table.rows(ofSplit: 7).test == order.suffix(31).sorted())
    }

    /// A folder of `PEO_DATA` with a file in the place of yacht's.
    private static func error(_ text: String) throws -> (DatasetError?, path: String) {
        let directory = try TemporaryDirectory()
        let folder = directory.file("uci/yacht")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appendingPathComponent("data.txt")
        try Data(text.utf8).write(to: file)
        var locations = DataLocations(environment: [:], downloader: Downloader(isAllowed: false))
        locations.searchFolders = [directory.url]
        locations.cacheFolder = directory.file("cache")
        return (
            #expect(throws: DatasetError.self) { try UCIYacht(split: 0).load(from: locations) }, file.path
        )
    }

    @Test func damagedFilesAreRefusedWithTheirPlace() throws {
        let row = "-2.3 0.568\t4.78 3.99 3.17 0.125 0.11 \t\r"
        let whole = [String](repeating: row, count: 308)
        for (change, words) in [
            ({ $0[2] = "1 2 3" }, ", line 3: 3 columns; allowed: 7, 6 and the number to predict"),
            ({ $0[4] = "1 2 x 4 5 6 7" }, ", line 5, column 3: is 'x'; allowed: a finite number"),
            ({ $0[0] = "1 2 3 4 5 6 nan" }, ", line 1, column 7: is 'nan'; allowed: a finite number"),
            ({ $0.removeLast() }, ": 307 rows; uci-yacht has 308"),
            ({ $0.append("") }, " is not the file of data set 'uci-yacht'"),
        ] as [((inout [String]) -> Void, String)] {
            var lines = whole
            change(&lines)
            let (error, path) = try Self.error(lines.joined(separator: "\n"))
            #expect(error?.message.hasPrefix(path + words) == true, "\(error?.message ?? "")")
        }
        let (empty, _) = try Self.error("\n\n")
        #expect(empty?.message.contains("there are no rows") == true)
    }

    @Test func missingFilesAreNamed() throws {
        let directory = try TemporaryDirectory()
        var locations = DataLocations(environment: [:], downloader: Downloader(isAllowed: false))
        locations.cacheFolder = directory.url
        let error = #expect(throws: DatasetError.self) { try UCIConcrete(split: 0).load(from: locations) }
        #expect(error?.isMissingInput == true)
        #expect(error?.message.contains("data set 'uci-concrete' needs data.txt") == true)
    }

    /// Where `PEO_DATA` has the tables.
    private static let hasTables = DataLocations().searchFolders.contains {
        FileManager.default.fileExists(atPath: $0.appendingPathComponent("uci/yacht/data.txt").path)
    }

    @Test(.enabled(if: hasTables, "PEO_DATA has no uci/yacht/data.txt"), arguments: sets.indices)
    func tablesAreReadAndStandardised(_ index: Int) throws {
        let set = Self.sets[index]
        let data = try set.init(split: 3).load(from: DataLocations())
        let table = set.table
        #expect((data.train.count, data.test.count) == (table.trainCount, table.rows - table.trainCount))
        #expect(data.name == "\(table.name)-3" && data.inputShape == [table.features])
        let numbers = data.train.numbers.map(Double.init)
        let mean = numbers.reduce(0, +) / Double(numbers.count)
        let square = numbers.reduce(0) { $0 + $1 * $1 } / Double(numbers.count)
        #expect(abs(mean) < 1e-4 && abs(square - 1) < 1e-3, "\(table.name): \(mean), \(square)")
        var x = [Float](repeating: 0, count: data.train.count * table.features)
        var y = [Float](repeating: 0, count: data.train.count)
        x.withUnsafeMutableBufferPointer { x in
            y.withUnsafeMutableBufferPointer {
                data.train.copyBatch((0..<data.train.count).map { $0 }[...], into: x, numbers: $0)
            }
        }
        for column in 0..<table.features {
            let own = stride(from: column, to: x.count, by: table.features).map { Double(x[$0]) }
            let mean = own.reduce(0, +) / Double(own.count)
            let square = own.reduce(0) { $0 + $1 * $1 } / Double(own.count)
            #expect(abs(mean) < 1e-4 && abs(square - 1) < 1e-3, "\(table.name), column \(column)")
        }
        guard table.folder == "yacht", let scale = data.kind.target.scale else { return }
        // The last row of the file is 46.66 far; the mean of all 308 is 10.5.
        #expect(abs(scale.mean - 10.5) < 2 && scale.deviation > 10 && scale.deviation < 20)
    }
}
