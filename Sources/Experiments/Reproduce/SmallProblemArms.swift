import Foundation

/// An arm of an experiment on a ``SmallProblem``.
protocol SmallProblemArm: CaseIterable, Hashable, RawRepresentable<String>, Sendable {
    /// What it does, in a line.
    var summary: String { get }
    /// What an independent script measured.
    var independent: String? { get }
    var isNegativeControl: Bool { get }
}

/// What every arm's runs over seeds end with.
struct SmallProblemArms<Arm: SmallProblemArm> {
    /// For the report.
    let arms: [ReproductionReport.Arm]
    let lines: [ReproductionReport.Chart.Line]
    private let last: [Arm: [Double]]

    /// Runs every arm with every seed, side by side.
    ///
    /// - Parameters:
    ///   - quantity: what is measured.
    ///   - curve: it at moments of a run; the last one counts.
    /// - Throws: as ``sideBySide(_:_:)``.
    init(
        seeds: [UInt64], _ quantity: String,
        curve: @Sendable (Arm, UInt64) throws -> [(x: Double, y: Double)]
    ) throws {
        let runs = Arm.allCases.flatMap { arm in seeds.map { (arm: arm, seed: $0) } }
        let curves = try sideBySide(runs) { try curve($0.arm, $0.seed) }
        var last: [Arm: [Double]] = [:]
        var lines: [ReproductionReport.Chart.Line] = []
        arms = Arm.allCases.enumerated().map { number, arm in
            let own = Array(curves[(number * seeds.count)..<((number + 1) * seeds.count)])
            let ends = own.map { $0.last?.y ?? .nan }
            last[arm] = ends
            if let line = ReproductionReport.Chart.Line(arm: arm.rawValue, curves: own) { lines.append(line) }
            return .init(
                name: arm.rawValue, summary: arm.summary, isNegativeControl: arm.isNegativeControl,
                measures: [
                    .init(
                        quantity, published: "a figure", independent: arm.independent,
                        zip(seeds, ends).map { (seed: $0, value: $1) })
                ], chosen: [:], notes: [])
        }
        self.last = last
        self.lines = lines
    }

    /// The least and the greatest end of an arm's runs; NaN, which meets no criterion, where one is no number.
    func range(_ arm: Arm) -> (least: Double, greatest: Double, words: String) {
        let ends = last[arm, default: []]
        guard !ends.contains(where: \.isNaN), let least = ends.min(), let greatest = ends.max() else {
            return (.nan, .nan, "a run ended in no number")
        }
        return (
            least, greatest, "\(ReproductionReport.number(least)) … \(ReproductionReport.number(greatest))"
        )
    }
}
