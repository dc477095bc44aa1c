import Foundation
import TestSupport
import Testing

/// `peo data`, and tables of one's own through `peo train`.
@Suite struct DataCommandTests {
    @Test func listsWhatIsAtHand() throws {
        let directory = try TemporaryDirectory()
        let output = try PeoTool.run(["data", "list"], in: directory)
        #expect(output.status == 0 && output.stderr.isEmpty, "\(output.all)")
        let digits = output.stdout.split(separator: "\n").first { $0.hasPrefix("digits ") } ?? ""
        #expect(digits.contains("built in"), "\(output.all)")
        let mnist = output.stdout.split(separator: "\n").first { $0.hasPrefix("mnist ") } ?? ""
        #expect(mnist.contains("download of 11."), "\(output.all)")
        let plays = output.stdout.split(separator: "\n").first { $0.hasPrefix("tinyshakespeare ") } ?? ""
        #expect(plays.contains("download of 1.1 MB"), "\(output.all)")
    }

    /// The unpacked archive does as well as the archive, if it is whole.
    @Test func unpackedFilesAreAtHand() throws {
        let directory = try TemporaryDirectory()
        let folder = directory.file("data/cifar-100/cifar-100-binary")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        func state() throws -> [String: Any] {
            try PeoTool.run(
                ["data", "info", "cifar-100", "--json"], in: directory,
                environment: ["PEO_DATA": directory.file("data").path]
            ).json
        }
        try Data(count: 10).write(to: folder.appendingPathComponent("train.bin"))
        #expect(try state()["isAtHand"] as? Bool == false)
        try Data(count: 20).write(to: folder.appendingPathComponent("test.bin"))
        let whole = try state()
        #expect(whole["isAtHand"] as? Bool == true)
        let files = (whole["files"] as? [[String: Any]]) ?? []
        #expect(files.compactMap { $0["name"] as? String } == ["train.bin", "test.bin"])
        #expect(files.compactMap { $0["bytes"] as? Int } == [10, 20])
    }

    @Test func infoSaysEverything() throws {
        let directory = try TemporaryDirectory()
        let output = try PeoTool.run(["data", "info", "a9a"], in: directory)
        #expect(output.status == 0, "\(output.all)")
        for text in [
            "32561 for training, 16281 for testing", "a9a.t", "libsvmtools", "CC BY 4.0", "above 50K",
        ] {
            #expect(output.stdout.contains(text), "wanted: \(text)\n\(output.all)")
        }
        let json = try PeoTool.run(["data", "info", "digits", "--json"], in: directory).json
        #expect(json["train"] as? Int == 1437)
        #expect(json["isAtHand"] as? Bool == true)
        let unknown = try PeoTool.run(["data", "info", "mnits"], in: directory)
        #expect(unknown.status == 65 && unknown.stderr.contains("did you mean 'mnist'"), "\(unknown.all)")
    }

    @Test func fetchChecks() throws {
        let directory = try TemporaryDirectory()
        let digits = try PeoTool.run(["data", "fetch", "digits", "--json"], in: directory)
        #expect(digits.status == 0, "\(digits.all)")
        #expect((digits.json["datasets"] as? [[String: Any]])?.count == 1)
        let folder = directory.file("data/a9a")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for name in ["a9a", "a9a.t"] {
            try Data("-1 3:1\n+1 4:1\n".utf8).write(to: folder.appendingPathComponent(name))
        }
        let wrong = try PeoTool.run(
            ["data", "fetch", "a9a"], in: directory, environment: ["PEO_DATA": directory.file("data").path])
        #expect(wrong.status == 65, "\(wrong.all)")
        #expect(wrong.stderr.contains("a9a/a9a is not the file of data set 'a9a'"), "\(wrong.all)")
    }

    private static func config(_ data: String, in directory: TemporaryDirectory) throws -> String {
        try PeoTool.config(
            PeoTool.smallConfig.replacingOccurrences(of: "data: digits", with: "data: \(data)"), in: directory
        )
    }

    /// The two classes lie on two sides of a line: learnt within 40 steps, and the run resumes from another folder.
    @Test func tablesTrain() throws {
        let directory = try TemporaryDirectory()
        var csv = "id,a,b,kind\n"
        var libsvm = ""
        for row in 0..<200 {
            let (a, b) = (Double(row * 37 % 101) / 50 - 1, Double(row * 53 % 97) / 48 - 1)
            let isLarge = a + b > 0
            csv += "r\(row),\(a),\(b),\(isLarge ? "large" : "small")\n"
            libsvm += "\(isLarge ? "+1" : "-1") 1:\(a) 2:\(b)\n"
        }
        try Data(csv.utf8).write(to: directory.file("t.csv"))
        try Data(libsvm.utf8).write(to: directory.file("t.svm"))
        for data in [
            "{csv: {train: t.csv, label: kind, ignore: [id]}}",
            "{libsvm: {train: t.svm, testFraction: 0.25}}",
        ] {
            let output = try PeoTool.run(
                ["train", Self.config(data, in: directory), "--json", "--output", "run"], in: directory)
            #expect(output.status == 0, "\(output.all)")
            let test = (output.json["result"] as? [String: Any])?["test"] as? [String: Any]
            #expect(test?["accuracy"] as? Double ?? 0 > 0.9, "\(output.all)")
        }
        let config = try String(contentsOf: directory.file("run/config.yaml"), encoding: .utf8)
        #expect(config.contains("/t.csv") && config.contains("standardise: true"), "\(config)")
    }

    @Test(arguments: [
        ("{csv: {train: t.csv, label: kind}}", 65 as Int32, "line 3: 1 columns; expected 2"),
        ("{csv: {train: no.csv, label: kind}}", 66, "no.csv"),
        ("{csv: {train: t.csv}}", 65, "label"),
        ("{csv: {train: t.csv, label: kind, delimiter: ab}}", 65, "allowed: one ASCII character"),
        ("{csv: {train: t.csv, label: kind, lable: 1}}", 65, "lable"),
        ("{csv: {train: t.csv, label: kind, classes: 1}}", 65, "is 1; allowed: 2 to 100000"),
        ("{libsvm: {train: t.csv}}", 65, "t.csv, line 1, column 1: the label is 'a,kind'"),
        ("{libsvm: {train: t.csv, testFraction: 1}}", 65, "allowed: more than 0, less than 1"),
        ("{libsvm: {train: t.csv, test: t.csv, testFraction: 0.5}}", 65, "give one of the two"),
        ("{csv: {train: t.csv, label: kind, target: regresion}}", 65, "did you mean 'regression'"),
        (
            "{csv: {train: t.csv, label: kind, target: regression, classes: 3}}", 65,
            "classes: is given, and the target is a regression"
        ),
    ])
    func badTablesAreRefused(data: String, status: Int32, words: String) throws {
        let directory = try TemporaryDirectory()
        try Data("a,kind\n1,x\n2\n".utf8).write(to: directory.file("t.csv"))
        let output = try PeoTool.run(["train", Self.config(data, in: directory)], in: directory)
        #expect(output.status == status && !output.wasSignalled, "\(output.all)")
        #expect(output.stderr.contains(words), "wanted: \(words)\n\(output.all)")
    }
}
