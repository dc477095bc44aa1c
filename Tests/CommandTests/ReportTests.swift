import Foundation
import TestSupport
import Testing

/// `peo report`: one HTML file about a run, a comparison, a search or a reproduction.
@Suite struct ReportTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// The cache that has Plotly's JavaScript, fetched where it is missing.
    private static let environment = Result {
        let script = try output(of: "plotly")
        // …/plotly-<version>/plotly.min.js
        let cache = URL(fileURLWithPath: script).deletingLastPathComponent().deletingLastPathComponent()
        return ["PEO_CACHE": cache.path]
    }

    private struct Failure: Error { let said: String }

    /// What a script of the repository prints.
    private static func output(of script: String) throws -> String {
        let scratch = try TemporaryDirectory()
        let process = Process()
        process.executableURL = PeoTool.root.appendingPathComponent("scripts/\(script)")
        for name in ["out", "err"] { try Data().write(to: scratch.file(name)) }
        process.standardOutput = try FileHandle(forWritingTo: scratch.file("out"))
        process.standardError = try FileHandle(forWritingTo: scratch.file("err"))
        try process.run()
        process.waitUntilExit()
        func text(_ name: String) throws -> String {
            try String(contentsOf: scratch.file(name), encoding: .utf8)
        }
        guard process.terminationStatus == 0 else { throw Failure(said: try text("err")) }
        return try text("out").trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func peo(_ arguments: String...) throws -> PeoTool.Output {
        let output = try PeoTool.run(arguments, in: directory, environment: try Self.environment.get())
        #expect(output.status == 0, "\(output.all)")
        return output
    }

    private func report(on place: String) throws -> URL {
        let output = try peo("report", place, "--json")
        #expect(output.json["report"] as? String == "\(place)/report.html", "\(output.all)")
        return directory.file("\(place)/report.html")
    }

    /// A name that would do harm, or be lost, if it were taken for HTML, for a tag of Plotly's, or for one of its formats.
    private static let hostile =
        "<script>alert(1)</script><img src=x onerror=alert(2)>&amp;%{x}'\"</title>--><b>bold</b>"

    /// Changes a JSON file.
    private func edit(_ path: String, _ change: (inout [String: Any]) throws -> Void) throws {
        let url = directory.file(path)
        var object = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
        try change(&object)
        try JSONSerialization.data(withJSONObject: object).write(to: url)
    }

    /// A run with everything that a log can hold: noise, guards that bind, steps that are skipped, an evaluation.
    private func makeRun() throws {
        let yaml = """
            model: {cnn: {channels: [4], hidden: 8}}
            data: digits
            training: {steps: 400, batchSize: 32, seed: 3, threads: 1, logEvery: 2, logEffectivePerturbation: true,
                evaluateEvery: {steps: 20}, labelNoise: {rate: 0.2, redraw: once}, validation: {fraction: 0.1}}
            rule: {adam: {learningRate: {cosine: {from: 0.03, to: 0}}}}
            perturbation: [{gaussian: {sigma: 0.05}}]
            stability: {clipGlobalNorm: 1.0, perturbationToGradient: 0.5, trustRegion: {ratio: 0.05},
                rollbackOnSpike: {deviations: 2, window: 20, minimumHistory: 10, snapshotEvery: 5, attempts: 1000}}
            controllers: [{plateau: {scales: learningRate, factor: 0.5, patience: 1}}]
            """
        _ = try PeoTool.config(yaml, in: directory, name: "everything.yaml")
        _ = try peo("train", "everything.yaml", "--output", "run")
        _ = try peo("evaluate", "run", "--examples", "64")
    }

    /// A comparison with an arm that diverges; one arm gets a hostile name, one a long one.
    private func makeComparison() throws {
        _ = try PeoTool.config(PeoTool.smallConfig, in: directory)
        let long = "a-name-of-sixty-four-characters-which-is-the-longest-one-allowed"
        _ = try PeoTool.config(
            """
            config: test.yaml
            arms:
              none: {perturbation: []}
              \(long):
                rule.momentum.learningRate: 0.1
                choose: {perturbation.0.gaussian.sigma: [0.01, 0.1]}
              sam: {parameterPerturbation: {sam: {rho: 0.05}}}
              hostile: {rule.momentum.learningRate: 0.001}
              wild: {rule.momentum.learningRate: 1e30, stability: {skipNonFinite: false}}
            seeds: 2
            """, in: directory, name: "arms.yaml")
        _ = try peo("compare", "arms.yaml", "--output", "comparison")
        try edit("comparison/comparison.json") { report in
            report["arms"] = (report["arms"] as? [[String: Any]])?.map { arm in
                guard arm["name"] as? String == "hostile" else { return arm }
                var compared = arm["comparison"] as? [String: Any] ?? [:]
                compared["verdict"] = ["worse": [String: Any]()]
                return arm.merging(["name": Self.hostile, "comparison": compared]) { $1 }
            }
        }
    }

    /// Reports of every kind, as readers see them: at phone and desktop width, in light and dark and on paper.
    @Test func reportsAreReadable() throws {
        try makeRun()
        try makeComparison()
        _ = try peo("reproduce", "label-noise", "--quick", "--output", "again")
        _ = try PeoTool.config(
            "config: test.yaml\ntrials: 6\nconfirm: {top: 2, seeds: 2}\nsearch: {rule.momentum.learningRate: "
                + "{log: [1e-4, 1e3]}, rule.momentum.momentum: {linear: [0.1, 0.9]}}", in: directory,
            name: "search.yaml")
        _ = try peo("tune", "search.yaml", "--output", "search")
        _ = try PeoTool.config(
            PeoTool.smallConfig.replacing("steps: 40", with: "steps: 400"), in: directory, name: "range.yaml")
        _ = try peo("tune", "range.yaml", "--find-sigma", "--to", "1e4", "--output", "range")
        let places = ["run", "comparison", "again/quick/label-noise", "search", "range"]
        let views = try ReportBrowser.look(at: try places.map(report))
        #expect(views.count == 2 * places.count)
        for view in views {
            let name = "\(view.file) at \(view.width)"
            #expect(view.said == [], "\(name)")
            #expect(view.faults == [], "\(name)")
            #expect(view.charts > 0 && view.tables > 0, "\(name)")
        }
        let texts = places.map { place in
            views.first { $0.file.hasSuffix("/\(place)/report.html") }?.text ?? ""
        }
        for words in [
            "Loss", "Effective perturbation", "‖δ‖/‖g‖", "Learning rate η(t)", "rolled back", "Reliability",
            "Accuracy on damaged inputs", "Hessian trace", "Loss on a plane", "wrongly labelled",
            "config.yaml",
        ] { #expect(texts[0].contains(words), "the run's report lacks '\(words)'") }
        for words in [
            Self.hostile, "wild: 2 of 2 seeds diverged", "▼ worse", "perturbation.0.gaussian.sigma",
            "For equal compute", "Gain over none, paired by seed",
        ] { #expect(texts[1].contains(words), "the comparison's report lacks '\(words)'") }
        for words in [
            "Where it does not help", "median", "✓ met", "0.0004 … 0.0014", "Every criterion is met",
        ] {
            #expect(texts[2].contains(words), "the reproduction's report lacks '\(words)'")
        }
        for words in ["best accuracy", "The best trials, trained to their end", "rule.momentum.learningRate"]
        {
            #expect(texts[3].contains(words), "the search's report lacks '\(words)'")
        }
        for words in ["felt from σ", "Worth a search", "The training loss as the noise rises"] {
            #expect(texts[4].contains(words), "the noise range's report lacks '\(words)'")
        }
    }

    /// A run that is not finished is reported on as far as it is; the same files give the same report.
    @Test func anUnfinishedRun() throws {
        _ = try PeoTool.config(PeoTool.smallConfig, in: directory)
        let stopped = try PeoTool.run(
            ["train", "test.yaml", "--set", "training.steps=10000000", "--output", "run"], in: directory
        ) { process in
            let log = directory.file("run/checkpoints/step-20")
            while process.isRunning,
                ((try? Data(contentsOf: directory.file("run/metrics.jsonl")))?.count ?? 0) < 2000,
                !FileManager.default.fileExists(atPath: log.path)
            { usleep(20_000) }
            kill(process.processIdentifier, SIGKILL)
        }
        #expect(stopped.wasSignalled)
        let html = try String(contentsOf: report(on: "run"), encoding: .utf8)
        #expect(html.contains("process was killed; it can be resumed"))
        _ = try peo("report", "run", "--output", "again.html")
        #expect(try String(contentsOf: directory.file("again.html"), encoding: .utf8) == html)
    }

    @Test func whatIsMissingIsNamed() throws {
        _ = try PeoTool.config(PeoTool.smallConfig, in: directory)
        _ = try peo("train", "test.yaml", "--set", "training.steps=2", "--output", "run")
        func refused(_ arguments: [String], _ environment: [String: String] = [:]) throws -> PeoTool.Output {
            try PeoTool.run(
                ["report"] + arguments, in: directory,
                environment: try Self.environment.get().merging(environment) { $1 })
        }
        let without = try refused(["run"], ["PEO_CACHE": directory.file("empty").path])
        #expect(
            without.status == 66 && without.stderr.contains("Run scripts/plotly")
                && without.stderr.contains("PEO_PLOTLY"), "\(without.all)")
        #expect(!FileManager.default.fileExists(atPath: directory.file("run/report.html").path))

        let plotly = directory.file("cache/plotly-\(try Self.plotlyVersion)/plotly.min.js")
        try FileManager.default.createDirectory(
            at: plotly.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data("Plotly = 1".utf8).write(to: plotly)
        let damaged = try refused(["run"], ["PEO_CACHE": directory.file("cache").path])
        #expect(damaged.status == 66 && damaged.stderr.contains("remove it"), "\(damaged.all)")
        try Data("Plotly = '</script>'".utf8).write(to: directory.file("mine.js"))
        let mine = try refused(["run"], ["PEO_PLOTLY": directory.file("mine.js").path])
        #expect(mine.status == 66 && mine.stderr.contains("mine.js"), "\(mine.all)")

        for (place, words) in [("nowhere", "no directory is there"), ("cache", "nothing to report on")] {
            let output = try refused([place])
            #expect(output.status == 66 && output.stderr.contains(words), "\(output.all)")
        }
        let place = try refused(["run", "--output", "no/such/folder/report.html"])
        #expect(place.status == 73 && place.stderr.contains("no/such/folder"), "\(place.all)")
        for name in ["search.json", "comparison.json", "reproduction.json"] {
            try Data("{".utf8).write(to: directory.file("cache/\(name)"))
            let output = try refused(["cache"])
            #expect(
                output.status == 65 && output.stderr.contains("\(name) is damaged"), "\(output.all)")
        }
    }

    private static var plotlyVersion: String {
        get throws {
            URL(fileURLWithPath: try output(of: "plotly")).deletingLastPathComponent().lastPathComponent
                .replacingOccurrences(of: "plotly-", with: "")
        }
    }
}
