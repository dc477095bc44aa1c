import PerturbedEquations

/// A number by which arms are compared, or trials judged.
struct CellMetric: Equatable {
    let name: String
    /// Of what it is: `validation.` of held-out data, nothing of the test data or of an agent's episodes.
    var prefix = ""

    /// Its name in an outcome.
    var key: String { prefix + name }

    /// Whether more is better.
    var isHigherBetter: Bool {
        ["accuracy", "auroc", "logLikelihood", "return", "bestReturn"].contains(
            String(name.split(separator: ".").last ?? ""))
    }

    /// arm − baseline, turned so that above 0 is better.
    func gain(_ arm: Double, over baseline: Double) -> Double {
        isHigherBetter ? arm - baseline : baseline - arm
    }

    /// What is to be small.
    func loss(_ value: Double) -> Double { isHigherBetter ? -value : value }

    /// The value whose loss it is.
    func value(ofLoss loss: Double) -> Double { isHigherBetter ? -loss : loss }

    /// Whether values are shares, shown in percent.
    var isShare: Bool { name.hasSuffix("accuracy") }

    /// The value as people read it.
    func text(_ value: Double) -> String {
        isShare ? String(format: "%.2f%%", value * 100) : String(format: "%.4g", value)
    }

    /// The metric of that name among those that the cells have.
    /// - Throws: ``ConfigError`` with those that there are.
    static func named(_ name: String?, among known: Set<String>, file: String) throws -> CellMetric {
        guard let name else {
            if known.contains("evaluation.return") { return CellMetric(name: "return") }
            return CellMetric(
                name: known.contains("perplexity") || !known.contains("accuracy") ? "loss" : "accuracy")
        }
        guard known.contains(name) || known.isEmpty else {
            let hint = nearestName(to: name, among: known.sorted()).map { "; did you mean '\($0)'?" } ?? ""
            throw ConfigError(
                .badValue,
                "there is no metric '\(name)'\(hint) (allowed: \(known.sorted().joined(separator: ", ")))",
                keyPath: "metric", file: file)
        }
        return CellMetric(name: name)
    }
}
