import ArgumentParser

/// Refuses an option's value.
///
/// - Throws: `ValidationError` that names the option, the value and what is allowed.
func require(_ condition: Bool, _ option: String, _ value: some Any, _ allowed: String) throws {
    guard condition else { throw ValidationError("\(option) is \(value); allowed: \(allowed)") }
}

/// Refuses a number out of a range; nil is no number.
func require(_ option: String, _ value: Int?, in range: ClosedRange<Int>) throws {
    guard let value else { return }
    try require(
        range.contains(value), option, value,
        range.upperBound == .max
            ? "\(range.lowerBound) or more" : "\(range.lowerBound) to \(range.upperBound)")
}
