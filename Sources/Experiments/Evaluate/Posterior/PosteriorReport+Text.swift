import BayesianLearning
import Foundation

extension PosteriorReport {
    /// What the members are, in words; nil for one run's weights.
    var weights: String? {
        switch kind {
        case .draws:
            "\(members == draws ?? members ? "\(members)" : "\(members) of \(draws ?? members)") draws"
                + (chains.map { ", \($0) chain\($0 == 1 ? "" : "s")" } ?? "")
        case .ensemble: "of \(members) runs"
        case .dropout: "\(members) masks of dropout"
        case .weights: nil
        }
    }

    /// The lines of a report for people.
    var lines: [EvaluationReport.Line] {
        var lines: [EvaluationReport.Line] = [("posterior predictive (nats)", "")]
        if let classes { lines += self.lines(classes) }
        if let numbers { lines += self.lines(numbers) }
        if let temperature {
            let (before, after) = (temperature.before, temperature.after)
            lines += [
                (
                    "  temperature, and fitted on",
                    String(format: "%.3g", temperature.temperature)
                        + ", \(temperature.fitted) "
                        + (temperature.source == .half ? "of this part" : "of validation")
                ),
                ("    loss: as it is, scaled", "\(number(before.loss)) \(number(after.loss))"),
                (
                    "    ECE: as it is, scaled",
                    "\(share(before.equalWidthError)) \(share(after.equalWidthError))"
                ),
            ]
        }
        if let outside = outOfDistribution {
            lines += [
                ("  AUROC against \(outside.data), by entropy", share(outside.byEntropy)),
                (
                    "  AUROC against \(outside.data), by mutual information",
                    outside.byMutualInformation.map(share) ?? "–"
                ),
                ("  AUROC against \(outside.data), by largest p", share(outside.byConfidence)),
            ]
        }
        return lines
    }

    private func lines(_ classes: ClassPosterior) -> [EvaluationReport.Line] {
        var lines: [EvaluationReport.Line] = []
        if classes.members > 1 {
            lines += [
                ("  accuracy, mean member", share(classes.meanMember.accuracy)),
                ("  loss, mean member", number(classes.meanMember.loss)),
            ]
        }
        lines.append(("  entropy", number(classes.entropy)))
        if classes.members > 1 {
            lines += [
                ("    aleatoric: expected entropy", number(classes.expectedEntropy)),
                ("    epistemic: mutual information", number(classes.mutualInformation)),
            ]
        }
        return lines
    }

    private func lines(_ numbers: NumberPosterior) -> [EvaluationReport.Line] {
        var lines: [EvaluationReport.Line] = [("  log predictive density", number(numbers.logDensity))]
        if numbers.members > 1 {
            lines += [
                ("  rmse, mean member", number(numbers.meanMember.rmse)),
                ("  log density, mean member", number(numbers.meanMember.logDensity)),
            ]
        }
        let source =
            switch deviationSource {
            case .likelihood, nil: "the likelihood's"
            case .validation: "of the errors on validation"
            case .train: "of the errors on train"
            }
        lines += [
            ("  deviation, aleatoric", "\(number(numbers.aleatoricVariance.squareRoot())), \(source)"),
            ("  deviation, epistemic", number(numbers.epistemicVariance.squareRoot())),
        ]
        for interval in numbers.intervals {
            lines.append(
                (
                    "  \(String(format: "%g", interval.level * 100))% interval: holds, mean width",
                    "\(share(interval.coverage)) \(number(interval.width))"
                ))
        }
        return lines
    }
}

private func share(_ value: Double) -> String { String(format: "%.2f%%", value * 100) }
private func number(_ value: Double) -> String { String(format: "%.4g", value) }
