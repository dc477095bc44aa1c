import Foundation
import TestSupport
import Testing

/// `peo compare`: arms over seeds.
@Suite struct CompareTests {
    private static func comparison(
        _ arms: String, seeds: Int = 6, more: String = "", in directory: TemporaryDirectory
    ) throws -> String {
        _ = try PeoTool.config(PeoTool.smallConfig, in: directory)
        return try PeoTool.config(
            "config: test.yaml\narms:\n\(arms)\nseeds: \(seeds)\n\(more)", in: directory, name: "two.yaml")
    }

    private static let arms = """
          none: {perturbation: []}
          sam:
            parameterPerturbation: {sam: {rho: 0.05}}
            choose: {parameterPerturbation.sam.rho: [0.01, 0.05]}
        """

    private static func arm(_ name: String, _ report: [String: Any]) -> [String: Any] {
        (report["arms"] as? [[String: Any]])?.first { $0["name"] as? String == name } ?? [:]
    }

    private static func cells(_ name: String, _ report: [String: Any]) -> [[String: Any]] {
        (arm(name, report)["cells"] as? [[String: Any]] ?? []).compactMap { $0["outcome"] as? [String: Any] }
    }

    /// The report without what depends on the machine's speed.
    private static func timeless(_ report: [String: Any]) throws -> Data {
        var report = report
        report["arms"] = (report["arms"] as? [[String: Any]])?.map { arm in
            var arm = arm
            arm["measures"] = (arm["measures"] as? [String: Any])?.filter { $0.key != "trainingSeconds" }
            arm["cells"] = (arm["cells"] as? [[String: Any]])?.map { cell in
                var outcome = cell["outcome"] as? [String: Any] ?? [:]
                outcome["peakBytes"] = nil
                outcome["metrics"] = (outcome["metrics"] as? [String: Any])?.filter {
                    $0.key != "trainingSeconds"
                }
                return ["seed": cell["seed"] ?? 0, "outcome": outcome]
            }
            return arm
        }
        return try JSONSerialization.data(withJSONObject: report, options: .sortedKeys)
    }

    /// Arms get the same number of gradients, the radius is chosen on held-out data, and a second call runs nothing.
    @Test func armsAreComparedAtEqualCompute() throws {
        let directory = try TemporaryDirectory()
        let file = try Self.comparison(Self.arms, in: directory)
        let output = try PeoTool.run(["compare", file, "--json"], in: directory)
        #expect(output.status == 0, "\(output.all)")
        let report = output.json
        #expect(Self.arm("none", report)["lengthFactor"] as? Double == 2)
        #expect(Self.arm("sam", report)["lengthFactor"] as? Double == 1)
        for name in ["none", "sam"] {
            let gradients = Self.cells(name, report).compactMap {
                ($0["metrics"] as? [String: Double])?["gradientEvaluations"]
            }
            #expect(gradients == Array(repeating: 80, count: 6), "\(name)")
        }
        let chosen = Self.arm("sam", report)["chosen"] as? [String: String] ?? [:]
        #expect(["0.01", "0.05"].contains(chosen["parameterPerturbation.sam.rho"]), "\(chosen)")
        let compared = Self.arm("sam", report)["comparison"] as? [String: Any] ?? [:]
        #expect(compared["count"] as? Int == 6 && compared["verdict"] != nil, "\(compared)")
        #expect(Self.arm("none", report)["comparison"] == nil)
        // The pairs share their seed: the first weights and the order of the data.
        let runs = directory.file("comparisons/two/cells")
        let seeds = try ["none", "sam"].map {
            try String(contentsOf: runs.appendingPathComponent("\($0)/seed-4/config.yaml"), encoding: .utf8)
                .split(separator: "\n").first { $0.contains("seed:") }
        }
        #expect(seeds[0] == "  seed: 4" && seeds[1] == "  seed: 4", "\(seeds)")

        let again = try PeoTool.run(["compare", file], in: directory)
        #expect(
            again.status == 0 && again.stdout.contains("sam chose parameterPerturbation.sam.rho = "),
            "\(again.all)")
        #expect(!again.stderr.contains("accuracy"), "finished cells ran again: \(again.all)")
        #expect(again.stdout.contains("none was trained 2.00 times as long"), "\(again.all)")
    }

    /// A comparison that is killed goes on with the same command, and ends with the same report; what was done is kept.
    @Test func aKilledComparisonGoesOn() throws {
        let directory = try TemporaryDirectory()
        let file = try Self.comparison(Self.arms, more: "parallel: 2", in: directory)
        let whole = try PeoTool.run(["compare", file, "--output", "whole", "--json"], in: directory)
        #expect(whole.status == 0, "\(whole.all)")
        let first = directory.file("killed/cells/none/seed-1/result.json")
        let killed = try PeoTool.run(["compare", file, "--output", "killed"], in: directory) { process in
            while process.isRunning, !FileManager.default.fileExists(atPath: first.path) { usleep(20_000) }
            kill(process.processIdentifier, SIGKILL)
        }
        #expect(killed.wasSignalled, "\(killed.all)")
        let date = try FileManager.default.attributesOfItem(atPath: first.path)[.modificationDate] as? Date
        let resumed = try PeoTool.run(["compare", file, "--output", "killed", "--json"], in: directory)
        #expect(resumed.status == 0, "\(resumed.all)")
        var expected = whole.json
        expected["name"] = "killed"
        #expect(try Self.timeless(resumed.json) == Self.timeless(expected), "\(resumed.all)")
        let after = try FileManager.default.attributesOfItem(atPath: first.path)[.modificationDate] as? Date
        #expect(date != nil && date == after, "the finished cell ran again")
    }

    /// Ctrl-C saves and says how to go on.
    @Test func anInterruptedComparisonSays() throws {
        let directory = try TemporaryDirectory()
        let file = try Self.comparison(Self.arms, in: directory)
        let stopped = try PeoTool.run(["compare", file], in: directory) { process in
            let begun = directory.file("comparisons/two/choose/sam/0")
            while process.isRunning, !FileManager.default.fileExists(atPath: begun.path) { usleep(20_000) }
            kill(process.processIdentifier, SIGINT)
        }
        #expect(stopped.status == 75, "\(stopped.all)")
        #expect(stopped.stderr.contains("The same command goes on"), "\(stopped.all)")
    }

    /// A cell that diverges is reported as such, and the rest goes on.
    @Test func aDivergingArmIsReported() throws {
        let directory = try TemporaryDirectory()
        let file = try Self.comparison(
            "  calm: {}\n  wild: {rule.momentum.learningRate: 1e30, stability: {skipNonFinite: false}}",
            seeds: 2, in: directory)
        let output = try PeoTool.run(["compare", file], in: directory)
        #expect(output.status == 0, "\(output.all)")
        #expect(output.stdout.contains("wild: 2 of 2 seeds diverged, and are left out"), "\(output.all)")
        #expect(output.stdout.contains("  diverged (2 of 2 seeds)"), "\(output.all)")
        #expect(!output.stdout.contains("too few"), "\(output.all)")
        let json = try PeoTool.run(["compare", file, "--json"], in: directory).json
        #expect(Self.cells("calm", json).allSatisfy { $0["status"] as? String == "completed" })
        #expect(Self.cells("wild", json).allSatisfy { $0["status"] as? String == "diverged" })
    }

    /// Weights that the last step broke are no result, though all steps were taken.
    @Test func brokenLastWeightsAreADivergence() throws {
        let directory = try TemporaryDirectory()
        let file = try Self.comparison(
            "  calm: {}\n  wild: {rule.momentum.learningRate: 1e38}", seeds: 2,
            more: "metric: loss", in: directory)
        let short = PeoTool.smallConfig.replacing("steps: 40", with: "steps: 1")
        _ = try PeoTool.config(short, in: directory)
        let output = try PeoTool.run(["compare", file], in: directory)
        #expect(output.status == 0, "\(output.all)")
        #expect(
            output.stdout.contains(
                "wild: 2 of 2 seeds diverged, and are left out (seed 1: the test loss of the last"),
            "\(output.all)")
        #expect(output.stdout.contains("  diverged (2 of 2 seeds)"), "\(output.all)")
    }

    /// The processes that a process has started and that are still there.
    private static func children(of process: Process) -> [pid_t] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return all.compactMap { pid_t($0) }.filter { id in
            // `pid (name) state parent …`
            let stat = try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8)
            let fields = stat?.split(separator: ")").last?.split(separator: " ") ?? []
            return fields.count > 1 && pid_t(fields[1]) == process.processIdentifier
        }
    }

    /// A cell whose process was killed is said to have failed, and the same command trains it.
    @Test func aKilledCellIsTriedAgain() throws {
        let directory = try TemporaryDirectory()
        let file = try Self.comparison(
            "  none: {perturbation: []}\n  noisy: {}", seeds: 2, more: "parallel: 1", in: directory)
        let killed = try PeoTool.run(["compare", file], in: directory) { process in
            while process.isRunning {
                if let child = Self.children(of: process).first {
                    kill(child, SIGKILL)
                    return
                }
                usleep(1000)
            }
        }
        #expect(killed.status == 0, "\(killed.all)")
        #expect(
            killed.stdout.contains(
                "none: 1 of 2 seeds failed, and is left out (seed 1: the process was ended by signal 9). The same command "
                    + "tries again."), "\(killed.all)")
        #expect(killed.stdout.contains("none failed (1 of 2 seeds)"), "\(killed.all)")
        let again = try PeoTool.run(["compare", file, "--json"], in: directory)
        #expect(again.status == 0, "\(again.all)")
        #expect(Self.cells("none", again.json).allSatisfy { $0["status"] as? String == "completed" })
        #expect(
            Self.arm("noisy", again.json)["comparison"].flatMap { ($0 as? [String: Any])?["count"] as? Int }
                == 2)
    }

    /// What cells do not depend on may change, and what is done is kept; what they depend on may not.
    @Test func aComparisonGoesOnWithOtherWords() throws {
        let directory = try TemporaryDirectory()
        let arms = "  none: {perturbation: []}\n  noisy: {}"
        func compare(_ arms: String, seeds: Int, _ more: String) throws -> PeoTool.Output {
            let file = try Self.comparison(arms, seeds: seeds, more: more, in: directory)
            return try PeoTool.run(["compare", file], in: directory)
        }
        #expect(try compare(arms, seeds: 2, "").status == 0)
        let other = try compare(arms, seeds: 3, "metric: loss\nlevel: 0.1\nparallel: 2  # as it is")
        #expect(other.status == 0 && other.stdout.hasPrefix("arm    loss"), "\(other.all)")
        #expect(other.stderr.contains("none, seed 3:") && !other.stderr.contains("seed 2:"), "\(other.all)")
        for (arms, seeds, more) in [
            (arms, 2, ""), ("  none: {perturbation: []}\n  noisy: {rule.momentum.momentum: 0.8}", 3, ""),
            (arms, 3, "compute: steps"),
        ] {
            let refused = try compare(arms, seeds: seeds, more)
            #expect(
                refused.status == 65 && refused.stderr.contains("what may change: metric, level, parallel"),
                "\(refused.all)")
        }
        _ = try Self.comparison(arms, seeds: 3, in: directory)
        _ = try PeoTool.config(
            PeoTool.smallConfig.replacing("sigma: 0.01", with: "sigma: 0.02"), in: directory)
        let changed = try PeoTool.run(["compare", "two.yaml"], in: directory)
        #expect(changed.status == 65 && changed.stderr.contains("holds another comparison"), "\(changed.all)")
    }

    /// A metric that these data do not have is found by the first cell, and the study goes on with another.
    @Test func aMetricOfOtherDataIsFoundEarly() throws {
        let directory = try TemporaryDirectory()
        let arms = "  none: {perturbation: []}\n  noisy: {}"
        let file = try Self.comparison(arms, more: "metric: rmse\nparallel: 1", in: directory)
        let refused = try PeoTool.run(["compare", file], in: directory)
        #expect(
            refused.status == 65 && refused.stderr.contains("there is no metric 'rmse'"), "\(refused.all)")
        #expect(!refused.stderr.contains("seed 2:"), "\(refused.all)")
        _ = try Self.comparison(arms, more: "metric: loss\nparallel: 2", in: directory)
        let mended = try PeoTool.run(["compare", file], in: directory)
        #expect(mended.status == 0 && !mended.stderr.contains("none, seed 1:"), "\(mended.all)")
    }

    /// Epochs are whole: what is trained is what is reported.
    @Test func wholeEpochsAreSaid() throws {
        let directory = try TemporaryDirectory()
        let file = try Self.comparison(
            "  none: {}\n  look: {parameterPerturbation: {lookSAM: {rho: 0.05, every: 3}}}", seeds: 2,
            in: directory)
        _ = try PeoTool.config(
            PeoTool.smallConfig.replacing("steps: 40, batchSize: 32", with: "epochs: 1, batchSize: 256"),
            in: directory)
        let output = try PeoTool.run(["compare", file], in: directory)
        #expect(output.status == 0 && !output.stdout.contains("times as long"), "\(output.all)")
        #expect(output.stdout.contains("none got 25% less compute than equal"), "\(output.all)")
    }

    @Test func mistakesAreNamed() throws {
        let directory = try TemporaryDirectory()
        for (arms, more, words) in [
            ("  only: {}", "", "arms: needs two arms at least"),
            ("  a: {}\n  b/c: {}", "", "'b/c' names an arm; allowed"),
            ("  a: {}\n  b: {rule.momentum.momentun: 1}", "", "arms.b: rule.momentum.momentun: unknown key"),
            (
                "  a: {}\n  b: {choose: {training.batchSize: 3}}", "",
                "arms.b.choose.training.batchSize: expected a list"
            ),
            ("  a: {}\n  b: {}", "baseline: c", "there is no arm 'c'"),
            ("  a: {}\n  b: {}", "level: 2", "level: is 2.0; allowed"),
            ("  a: {}\n  b: {}", "computes: equal", "unknown key 'computes'; did you mean 'compute'?"),
            ("  a: {}\n  b: {}", "compute: same", "unknown name 'same'"),
            ("  a: {}\n  b: {}", "metric: accurary", "'accurary'; did you mean 'accuracy'?"),
            ("  a: {}\n  b: {}", "metric: return", "there is no metric 'return'"),
            (
                "  a: {}\n  b: {choose: {training.batchSize: [3], training..batchSize: [4]}}", "",
                "gives 'training.batchSize' values a second time"
            ),
        ] {
            let file = try Self.comparison(arms, more: more, in: directory)
            let output = try PeoTool.run(["compare", file], in: directory)
            #expect(output.status == 65 && output.stderr.contains(words), "wanted: \(words)\n\(output.all)")
            #expect(!FileManager.default.fileExists(atPath: directory.file("comparisons").path))
        }
    }
}
