/// Numbers of a sample: mean, standard deviation, quantiles.
public enum Sample {
    /// x̄ = Σx/n; NaN for an empty sample.
    public static func mean(_ values: [Double]) -> Double {
        values.isEmpty ? .nan : values.reduce(0, +) / Double(values.count)
    }

    /// The standard deviation s = √(Σ(x − x̄)²/(n − 1)); NaN for fewer than two values.
    public static func deviation(_ values: [Double]) -> Double {
        guard values.count > 1 else { return .nan }
        let mean = mean(values)
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (squares / Double(values.count - 1)).squareRoot()
    }

    /// The value below which a share `p` of a sorted sample lies, by linear interpolation (NumPy's default); NaN for an
    /// empty sample.
    ///
    /// - Parameter p: in [0, 1].
    public static func quantile(_ p: Double, ofSorted values: [Double]) -> Double {
        guard let last = values.last else { return .nan }
        let place = min(max(p, 0), 1) * Double(values.count - 1)
        let below = Int(place)
        guard below + 1 < values.count else { return last }
        return values[below] + (place - Double(below)) * (values[below + 1] - values[below])
    }
}

/// A range that is meant to hold an unknown number, with a given probability.
public struct Interval: Codable, Sendable, Equatable {
    public var lower: Double
    public var upper: Double
    /// The probability, in (0, 1).
    public var level: Double

    public init(lower: Double, upper: Double, level: Double) {
        self.lower = lower
        self.upper = upper
        self.level = level
    }
}
