/// Observations in units of what was seen so far: x ← clip((x − μ)/√(σ² + 10⁻⁸), −10, 10), element by element.
///
/// The statistics are those of all copies together. As Gymnasium's `NormalizeObservation`, and CleanRL's clipping after it.
public struct ObservationNormaliser: Sendable, Codable, Hashable {
    public private(set) var moments: RunningMoments

    /// Where values end.
    public static let limit = 10.0

    public init(size: Int) { moments = RunningMoments(size: size) }

    /// Takes in the observations that an agent acts on.
    public mutating func add(_ observations: Span<Float>) { moments.add(observations) }

    /// Normalises whole observations in place, by the statistics as they are.
    public func normalise(_ observations: inout MutableSpan<Float>) {
        let size = moments.size
        precondition(observations.count % size == 0, "an observation has \(size) elements")
        for element in 0..<size {
            let mean = moments.mean[element]
            let factor = 1 / (moments.variance[element] + 1e-8).squareRoot()
            var i = element
            while i < observations.count {
                let value = (Double(observations[i]) - mean) * factor
                observations[i] = Float(min(max(value, -Self.limit), Self.limit))
                i += size
            }
        }
    }
}
