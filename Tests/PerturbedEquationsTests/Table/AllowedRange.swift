import PerturbedEquations

/// The range that a catalogue entry states for a numeric parameter, read from its text.
///
/// The texts have a few forms, so that a reader (and this test) can rely on them: "finite", "≥ a", "> a",
/// "a ≤ x ≤ b" and its strict variants, "a … b"; more may follow after ":", ";" or ",".
struct AllowedRange {
    var lower = -Double.infinity
    var isLowerStrict = true
    var upper = Double.infinity
    var isUpperStrict = true

    init?(_ text: String) {
        if text.hasPrefix("finite") { return }
        if let match = text.prefixMatch(of: #/(≥|>) (-?[0-9.]+)/#), let value = Double(match.2) {
            (lower, isLowerStrict) = (value, match.1 == ">")
        } else if let match = text.prefixMatch(of: #/(-?[0-9.]+) (≤|<) \S+ (≤|<) (-?[0-9.]+|\w+)/#),
            let low = Double(match.1)
        {
            (lower, isLowerStrict) = (low, match.2 == "<")
            if let high = Double(match.4) { (upper, isUpperStrict) = (high, match.3 == "<") }
        } else if let match = text.prefixMatch(of: #/(-?[0-9.]+) … (-?[0-9.]+|\w+)/#),
            let low = Double(match.1)
        {
            (lower, isLowerStrict) = (low, false)
            if let high = Double(match.2) { (upper, isUpperStrict) = (high, false) }
        } else {
            return nil
        }
    }

    func contains(_ value: Double) -> Bool {
        value.isFinite && (isLowerStrict ? value > lower : value >= lower)
            && (isUpperStrict ? value < upper : value <= upper)
    }

    /// Values at and beyond the ends.
    var probes: [Double] {
        [-1] + (lower.isFinite ? [lower, lower - 1] : []) + (upper.isFinite ? [upper, upper + 1] : [])
    }
}
