import BayesianLearning
import Foundation
import Statistics
import Training

extension TrainReportText {
    /// Warnings shown; result.json has all.
    private static let warningsShown = 6

    /// The report on a sampled posterior, for people.
    static func text(_ result: SamplingResult, run: String) -> String {
        var lines = [
            ("run", run),
            ("model", "\(result.model), \(result.parameters) parameters, prior \(result.prior)"),
            ("posterior", result.posterior ?? "chains"),
            ("data", "\(result.data), seed \(result.seed)"),
            (
                "chains",
                "\(result.chains) of \(result.steps) steps by \(result.rule) in \(clockText(result.trainingSeconds)), "
                    + "\(Int(result.stepsPerSecond.rounded())) steps/s in all"
            ),
            (
                "draws",
                "\(result.draws) of each chain, \(short(result.drawsPerSecond)) draws/s; in \(run)/samples"
            ),
        ]
        for number in result.functions.prefix(8) {
            let found = number.diagnostics
            let trust =
                result.weights == nil
                ? ""
                : ", R̂ \(rHat(found.splitRHat)), effective \(count(found.bulkEffectiveSize)) bulk, "
                    + "\(count(found.tailEffectiveSize)) tail"
            lines.append((number.name, "\(short(found.mean)) ± \(short(found.deviation))\(trust)"))
        }
        if result.functions.count > 8 {
            lines.append(("", "\(result.functions.count - 8) more in result.json"))
        }
        if let weights = result.weights {
            lines.append(
                (
                    "weights",
                    "of \(weights.count) looked at, \(weights.disagreeing) with R̂ above \(ChainDiagnostics.largestRHat); "
                        + "the largest \(rHat(weights.largestRHat ?? .nan))\(of(weights.largestRHatOf)), least effective size "
                        + "\(count(weights.leastEffectiveSize ?? .nan))\(of(weights.leastEffectiveSizeOf))"
                ))
        }
        lines.append(("stability", result.stability.text))
        var text = aligned(lines)
        for warning in result.warnings.prefix(warningsShown) { text += "\nwarning: \(warning)" }
        if result.warnings.count > warningsShown {
            text += "\nwarning: and \(result.warnings.count - warningsShown) more, in result.json"
        }
        return text
    }

    private static func rHat(_ value: Double) -> String {
        value.isNaN ? "unknown" : value.isFinite ? String(format: "%.3f", value) : "infinite"
    }

    private static func of(_ weight: String?) -> String { weight.map { " (\($0))" } ?? "" }

    private static func count(_ value: Double) -> String {
        value.isFinite ? String(Int(value.rounded())) : "unknown"
    }
}
