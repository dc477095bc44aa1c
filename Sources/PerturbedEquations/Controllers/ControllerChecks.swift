/// The settings that controllers share, and the checks for them.
enum ControllerChecks {
    static func range(_ minimum: Double, _ maximum: Double) throws {
        try require(
            minimum >= 0 && minimum <= 1, "minimum", is: minimum,
            allowed: "0 ≤ minimum ≤ 1, where factors start")
        try require(
            maximum >= 1 && maximum.isFinite, "maximum", is: maximum,
            allowed: "a finite number ≥ 1, where factors start")
    }

    static func count(_ name: String, _ value: Int, atLeast least: Int) throws {
        try require(value >= least, name, is: value, allowed: "a whole number ≥ \(least)")
    }

    static func positive(_ name: String, _ value: Double) throws {
        try require(value > 0 && value.isFinite, name, is: value, allowed: "a finite number > 0")
    }
}

extension CatalogueEntry.Parameter {
    static let scales = Self(
        "scales", "name", default: "sigma", allowed: "sigma, learningRate", "what the factor multiplies")

    static func minimum(_ value: String) -> Self {
        .init("minimum", "number", default: value, allowed: "0 … 1", "the smallest factor")
    }

    static func maximum(_ value: String) -> Self {
        .init("maximum", "number", default: value, allowed: "≥ 1", "the largest factor")
    }
}

/// A mean over windows of steps, in a controller's state.
enum LossWindow {
    /// Adds a loss; returns the mean of the window that it completes.
    static func add(_ loss: Double, _ state: inout ControllerState, window: Int) -> Double? {
        state["sum"] += loss
        state["count"] += 1
        guard state["count"] >= Double(window) else { return nil }
        let mean = state["sum"] / state["count"]
        state["sum"] = 0
        state["count"] = 0
        return mean
    }
}
