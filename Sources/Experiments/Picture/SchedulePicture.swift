import Foundation
import PerturbedEquations

/// A schedule's value over a run of 100 steps of 10 epochs.
enum SchedulePicture {
    private static let run = RunLength(steps: 100, stepsPerEpoch: 10)

    static func svg(of named: CataloguePicture.Named, seed _: UInt64) throws -> String {
        let schedule = try ConfigDecoder.decode(Scheduled.self, from: named.node).resolved(for: run)
        let values = (0..<run.steps).map { schedule.value(at: $0) }
        guard let low = values.min(), let high = values.max(), values.allSatisfy(\.isFinite) else {
            throw ConfigurationError(
                "is not finite within \(run.steps) steps; allowed: finite values", path: named.name)
        }
        let (bottom, top) = (min(0, low), max(high, low + 1e-12, 0))
        let margin = 0.06 * (top - bottom)
        var box = PlotBox(
            "f(t), from \(text(low)) to \(text(high))", x: 0...Double(run.steps),
            y: (bottom - margin)...(top + margin), width: 450)
        box.ends = ("t = 0", "100 steps, 10 epochs")
        box.line([SIMD2(0, 0), SIMD2(Double(run.steps), 0)], .grey, thickness: 0.7)
        box.line(values.enumerated().map { SIMD2(Double($0.offset), $0.element) }, .blue, thickness: 2)
        return PlotPage(boxes: [box], caption: "\(named.name): \(named.entry.equation)").svg()
    }

    private static func text(_ x: Double) -> String { String(format: "%.3g", x) }
}
