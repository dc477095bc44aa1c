import PerturbedEquations

/// What the stability controller and the closed loops did in a run: in `result.json`, the log and the summary.
public struct StabilityReport: Codable, Sendable, Equatable {
    /// How often each guard stepped in, over all sessions.
    public var counts: StabilityCounts
    /// What all cuts after rollbacks and the controllers multiply every noise strength by at the end.
    public var strengthFactor: Double
    /// Where the controllers stand at the end; absent without any.
    public var controllers: [PerturbedOptimizer.ControllerReport]?

    package init(of optimizer: PerturbedOptimizer) {
        counts = optimizer.counts
        strengthFactor = optimizer.strengthFactor
        controllers = optimizer.controllers.isEmpty ? nil : optimizer.controllers
    }

    /// Of several optimizers: what they did in all, and the smallest factor.
    package init(of optimizers: [PerturbedOptimizer]) {
        let reports = optimizers.map { StabilityReport(of: $0) }
        counts = reports.reduce(StabilityCounts()) { $0 + $1.counts }
        strengthFactor = reports.map(\.strengthFactor).min() ?? 1
        let all = reports.flatMap { $0.controllers ?? [] }
        controllers = all.isEmpty ? nil : all
    }

    /// Whether something happened since another report that a user should see at once: steps that were not taken, or
    /// a controller that moved. Clipping is everyday.
    func isNews(since last: StabilityReport) -> Bool {
        counts.skipped != last.counts.skipped || counts.rolledBack != last.counts.rolledBack
            || controllers != last.controllers
    }

    /// The report in words: only what happened.
    public var text: String {
        let events = [
            (counts.clippedByValue, "steps clipped by value"), (counts.clipped, "steps clipped"),
            (counts.adaptivelyClipped, "steps clipped by unit"),
            (counts.strengthsBounded, "noise strengths bounded"),
            (counts.bounded, "perturbations bounded"), (counts.varianceBounded, "variances bounded"),
            (counts.trustLimited, "updates limited"), (counts.skipped, "steps skipped"),
            (counts.rolledBack, "rollbacks"),
        ]
        var parts = events.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        if counts.overflowed > 0 {
            parts.append("\(counts.overflowed) of the skipped steps overflowed with a finite gradient")
        }
        for controller in controllers ?? [] {
            parts.append("\(controller.name): \(controller.scales.rawValue) × \(short(controller.factor))")
        }
        if strengthFactor != 1 { parts.append("noise × \(short(strengthFactor)) in all") }
        return parts.isEmpty ? "never stepped in" : parts.joined(separator: ", ")
    }
}
