import BayesianLearning
import Foundation
import PosteriorSampling
import Statistics
import Training

/// The draws of a sampling run in a report: diagnostics, traces, autocorrelations and marginals.
struct SamplingSections {
    private let samples: Samples
    private let result: SamplingResult?
    /// Whether R̂ and effective sizes mean something.
    private let areDrawsOfOnePosterior: Bool

    /// Functions that are drawn; the table has all.
    private static let drawn = 6
    /// Chains that are drawn, and points of a trace.
    private static let (chainsDrawn, points) = (8, 600)
    private static let (lags, bins) = (60, 40)

    /// - Returns: nil where the directory has no draws.
    init?(_ directory: URL, _ result: (any RunResult)?) {
        guard let samples = try? Samples(contentsOf: directory.appendingPathComponent("samples")) else {
            return nil
        }
        self.samples = samples
        self.result = result as? SamplingResult
        let config = try? RunConfigs.read(directory.appendingPathComponent("config.yaml")) as? SamplingConfig
        areDrawsOfOnePosterior = config?.posterior.approximation.areDrawsOfOnePosterior ?? true
    }

    /// - Throws: `SafetensorsError` for parts that are damaged.
    func add(to page: inout ReportPage) throws {
        let found = try samples.functions.map { (name: $0, chains: try samples.function($0)) }
        guard areDrawsOfOnePosterior else { return addDraws(found, to: &page) }
        let diagnostics = found.map { ($0.name, ChainDiagnostics($0.chains)) }
        let warnings = diagnostics.compactMap { name, found in found.warning.map { "\(name): \($0)" } }
        page.add(
            "Chains",
            [
                .text(
                    "\(samples.draws) draws of each of \(samples.chains) chains. R̂ compares the chains with each other and each with "
                        + "its own halves (1 where they agree, \(ChainDiagnostics.largestRHat) at most); the effective sizes say how "
                        + "many independent draws tell as much of the middle (bulk) and the tails."),
                warnings.isEmpty
                    ? .callout("Nothing speaks against these draws.", .good)
                    : .callout(
                        "Not to be trusted yet: " + warnings.prefix(4).joined(separator: "; ")
                            + (warnings.count > 4 ? "; and \(warnings.count - 4) more" : "") + ".", .bad),
                .table(Self.table(diagnostics)), weights,
            ])
        let shown = found.prefix(Self.drawn)
        page.add("Traces", [.charts(shown.map { trace($0.name, $0.chains) })])
        page.add("Autocorrelation", [.charts(shown.compactMap { autocorrelation($0.name, $0.chains) })])
        page.add("Marginals", [.charts(shown.compactMap { marginal($0.name, $0.chains) })])
    }

    /// Draws that are no Markov chains': what they are, without what would say how far chains can be trusted.
    private func addDraws(_ found: [(name: String, chains: Chains)], to page: inout ReportPage) {
        let table = Self.table(
            columns: ["", "mean", "deviation", "5%", "95%"],
            found.map { ($0.name, ChainDiagnostics(summaryOf: $0.chains)) }
        ) { [$0.mean, $0.deviation, $0.lower, $0.upper].map(Self.number) }
        let warnings: [ReportPage.Block] =
            (result?.warnings ?? []).isEmpty
            ? [] : [.callout("Not to be trusted: " + result!.warnings.joined(separator: "; ") + ".", .bad)]
        page.add(
            "Draws",
            [
                .text(
                    "\(samples.draws) draws of each of \(samples.chains) chains. They do not follow each other as those of a "
                        + "Markov chain do, and chains may be at different modes: R̂ and effective sizes would say nothing."
                )
            ] + warnings + [.table(table)])
        page.add(
            "Marginals", [.charts(found.prefix(Self.drawn).compactMap { marginal($0.name, $0.chains) })])
    }

    private static func number(_ value: Double) -> ReportTable.Cell {
        .init(value.isFinite ? value : nil, short)
    }

    private static func table(
        columns: [String], _ diagnostics: [(String, ChainDiagnostics)],
        _ cells: (ChainDiagnostics) -> [ReportTable.Cell]
    ) -> ReportTable {
        ReportTable(
            columns: columns, numeric: Set(1..<columns.count),
            rows: diagnostics.map { name, found in [.init(name)] + cells(found) })
    }

    private var weights: ReportPage.Block? {
        guard let weights = result?.weights else { return nil }
        return .text(
            "Of \(weights.total) weights \(weights.count) were looked at: \(weights.disagreeing) have R̂ above "
                + "\(ChainDiagnostics.largestRHat)"
                + (weights.largestRHat.map {
                    ", the largest is \(short($0)) (\(weights.largestRHatOf ?? "unnamed"))"
                } ?? "")
                + ". A network's hidden units can be exchanged, so that chains may disagree on weights and agree on predictions."
        )
    }

    private static func table(_ diagnostics: [(String, ChainDiagnostics)]) -> ReportTable {
        table(
            columns: [
                "", "mean", "deviation", "5%", "95%", "error of the mean", "R̂", "effective, bulk",
                "effective, tail",
            ], diagnostics
        ) { found in
            [
                number(found.mean), number(found.deviation), number(found.lower), number(found.upper),
                number(found.meanError),
                .init(
                    found.splitRHat.isNaN
                        ? "–" : found.splitRHat.isFinite ? String(format: "%.4f", found.splitRHat) : "∞",
                    found.splitRHat,
                    tone: found.splitRHat <= ChainDiagnostics.largestRHat ? .good : .bad),
                number(found.bulkEffectiveSize), number(found.tailEffectiveSize),
            ]
        }
    }

    private func series(
        _ chains: Chains, style: ReportChart.Series.Style = .line,
        _ line: ([Double]) -> (x: [Double], y: [Double?])
    ) -> [ReportChart.Series] {
        chains.draws.prefix(Self.chainsDrawn).enumerated().map { number, draws in
            let (x, y) = line(draws)
            return ReportChart.Series(name: "chain \(number)", x: x, y: y, style: style, colour: number)
        }
    }

    private var someChains: String? {
        samples.chains > Self.chainsDrawn ? "The first \(Self.chainsDrawn) of \(samples.chains) chains." : nil
    }

    private func trace(_ name: String, _ chains: Chains) -> ReportChart {
        let every = max(1, chains.length / Self.points)
        let lines = series(chains) { draws in
            let places = Array(stride(from: 0, to: draws.count, by: every))
            return (places.map(Double.init), places.map { draws[$0].isFinite ? draws[$0] : nil })
        }
        let captions = [someChains, every > 1 ? "Every \(every)th draw." : nil].compactMap { $0 }
        return ReportChart(
            lines: name, x: .init("draw"), y: .init(name), lines,
            caption: captions.isEmpty ? nil : captions.joined(separator: " "))
    }

    private func autocorrelation(_ name: String, _ chains: Chains) -> ReportChart? {
        let lines = series(chains) { draws in
            let found = Chains.autocorrelation(draws, upTo: Self.lags)
            return (found.indices.map(Double.init), found.map { $0.isFinite ? $0 : nil })
        }
        guard lines.contains(where: { $0.y.contains { $0 != nil } }) else { return nil }
        return ReportChart(
            lines: name, x: .init("lag, draws"), y: .init("autocorrelation"), lines, caption: someChains)
    }

    private func marginal(_ name: String, _ chains: Chains) -> ReportChart? {
        let finite = chains.draws.joined().filter(\.isFinite)
        guard let least = finite.min(), let most = finite.max(), least < most else { return nil }
        let width = (most - least) / Double(Self.bins)
        let lines = series(chains) { draws in
            var counts = [Double](repeating: 0, count: Self.bins)
            for value in draws where value.isFinite {
                counts[min(Self.bins - 1, Int((value - least) / width))] += 1
            }
            return (
                counts.indices.map { least + (Double($0) + 0.5) * width },
                counts.map { $0 / (Double(draws.count) * width) }
            )
        }
        return ReportChart(
            lines: name, x: .init(name), y: .init("density"), lines, caption: someChains)
    }
}
