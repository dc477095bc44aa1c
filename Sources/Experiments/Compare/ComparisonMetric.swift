import PerturbedEquations

/// A number by which arms are compared.
struct ComparisonMetric: Equatable {
    let name: String

    /// Whether more is better.
    var isHigherBetter: Bool {
        ["accuracy", "auroc", "logLikelihood"].contains(String(name.split(separator: ".").last ?? ""))
    }

    /// arm − baseline, turned so that above 0 is better.
    func gain(_ arm: Double, over baseline: Double) -> Double {
        isHigherBetter ? arm - baseline : baseline - arm
    }

    /// The metric of that name among those that the cells have.
    /// - Throws: ``ConfigError`` with those that there are.
    static func named(_ name: String?, among known: Set<String>, file: String) throws -> ComparisonMetric {
        guard let name else {
            return ComparisonMetric(
                name: known.contains("perplexity") || !known.contains("accuracy") ? "loss" : "accuracy")
        }
        guard known.contains(name) || known.isEmpty else {
            let hint = nearestName(to: name, among: known.sorted()).map { "; did you mean '\($0)'?" } ?? ""
            throw ConfigError(
                .badValue,
                "there is no metric '\(name)'\(hint) (allowed: \(known.sorted().joined(separator: ", ")))",
                keyPath: "metric", file: file)
        }
        return ComparisonMetric(name: name)
    }
}
