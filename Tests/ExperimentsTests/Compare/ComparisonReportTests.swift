import Experiments
import Foundation
import Testing
import Training

/// What a comparison's report says, from files as `peo compare` keeps them.
@Suite struct ComparisonReportTests {
    private static func cell(_ seed: Int, _ status: String, loss: Double?) -> String {
        let metrics = loss.map { "{\"accuracy\": 0.5, \"loss\": \($0)}" } ?? "{\"accuracy\": 0.5}"
        return
            "{\"seed\": \(seed), \"outcome\": {\"status\": \"\(status)\", \"metrics\": \(metrics), \"message\": \"m\"}}"
    }

    private static func arm(
        _ name: String, cost: Double, length: Double, cells: [String], comparison: String? = nil
    ) -> String {
        """
        {"name": "\(name)", "chosen": {}, "cost": {"gradients": \(cost), "losses": 0}, "lengthFactor": \(length),
         "measures": {}, "cells": [\(cells.joined(separator: ", "))]\(comparison.map { ", \"comparison\": \($0)" } ?? "")}
        """
    }

    private static func comparison(_ verdict: String, count: Int = 0, mean: String = "\"nan\"") -> String {
        """
        {"count": \(count), "mean": \(mean), "deviation": \(mean), "signFlipPValue": 1, "wilcoxonPValue": 1,
         "adjustedPValue": 1, "verdict": \(verdict)}
        """
    }

    private static func text(_ arms: [String], compute: String? = nil) throws -> String {
        let json = """
            {"name": "n", "baseline": "none", "metric": "loss", "isHigherBetter": false, "level": 0.05,
             \(compute.map { "\"compute\": \"\($0)\"," } ?? "") "arms": [\(arms.joined(separator: ", "))]}
            """
        return try JSON.decoder().decode(ComparisonReport.self, from: Data(json.utf8)).text
    }

    private static let kept = (1...3).map { cell($0, "completed", loss: 1) }

    /// Files of older versions have no `compute`, other verdicts, and text for a mean that is none.
    @Test func olderFilesAreRead() throws {
        let text = try Self.text([
            Self.arm("none", cost: 1, length: 4.0 / 3, cells: Self.kept),
            Self.arm(
                "wild", cost: 1, length: 1, cells: Self.kept,
                comparison: Self.comparison("{\"tooFewSeeds\": {\"needed\": 9}}")),
        ])
        #expect(text.contains("too few seeds (9 at least)") && !text.lowercased().contains("nan"), "\(text)")
        #expect(text.contains("none was trained 1.33 times as long"), "\(text)")
        #expect(text.contains("corrected for 1 comparison by Holm"), "\(text)")
    }

    @Test(arguments: [
        (["diverged", "diverged"], "diverged (2 of 3 seeds)"), (["failed"], "failed (1 of 3 seeds)"),
        (["diverged", "failed"], "lost (2 of 3 seeds)"),
    ])
    func lostSeedsAreNamed(statuses: [String], words: String) throws {
        let cells =
            statuses.enumerated().map { Self.cell($0 + 1, $1, loss: nil) }
            + Self.kept[statuses.count...]
        let text = try Self.text([
            Self.arm("none", cost: 1, length: 1, cells: Self.kept),
            Self.arm(
                "wild", cost: 1, length: 1, cells: cells,
                comparison: Self.comparison(
                    "{\"lostSeeds\": {\"count\": \(statuses.count), \"total\": 3}}", count: 1, mean: "3")),
        ])
        #expect(text.contains(words), "\(text)")
        #expect(text.contains("The same command tries again") == statuses.contains("failed"), "\(text)")
        #expect(text.contains("\(statuses.count(where: { $0 == statuses[0] })) of 3 seeds"), "\(text)")
    }

    @Test func theBaselinesLossIsNamed() throws {
        let text = try Self.text([
            Self.arm(
                "none", cost: 1, length: 1,
                cells: [Self.cell(1, "diverged", loss: nil)] + Self.kept.dropFirst()),
            Self.arm(
                "calm", cost: 1, length: 1, cells: Self.kept,
                comparison: Self.comparison("{\"baselineLostSeeds\": {\"count\": 1, \"total\": 3}}")),
        ])
        #expect(text.contains("none diverged (1 of 3 seeds)"), "\(text)")
        #expect(text.contains("none: 1 of 3 seeds diverged, and is left out (seed 1: m)."), "\(text)")
    }

    /// A cell of an older version that ended without the metric is not dropped in silence.
    @Test func missingNumbersAreNamed() throws {
        let text = try Self.text([
            Self.arm("none", cost: 1, length: 1, cells: Self.kept),
            Self.arm(
                "wild", cost: 1, length: 1,
                cells: Self.kept.dropLast() + [Self.cell(3, "completed", loss: nil)],
                comparison: Self.comparison("{\"tooFewSeeds\": {\"needed\": 6}}", count: 2, mean: "0")),
        ])
        #expect(
            text.contains("wild: 1 of 3 seeds ended without a finite loss, and is left out (seed 3)."),
            "\(text)")
    }

    /// Whole epochs may be far from equal compute, and then the report says how far.
    @Test func unequalComputeIsSaid() throws {
        func text(length: Double, compute: String?) throws -> String {
            try Self.text(
                [
                    Self.arm("none", cost: 1, length: length, cells: Self.kept),
                    Self.arm(
                        "lookSAM", cost: 4.0 / 3, length: 1, cells: Self.kept,
                        comparison: Self.comparison("{\"tooFewSeeds\": {\"needed\": 6}}")),
                ], compute: compute)
        }
        let short = try text(length: 1, compute: "equal")
        #expect(
            short.contains("none got 25% less compute than equal") && short.contains("1.33 times"), "\(short)"
        )
        #expect(!(try text(length: 1.33, compute: "equal")).contains("than equal"))
        #expect(!(try text(length: 1, compute: "steps")).contains("than equal"))
    }
}
