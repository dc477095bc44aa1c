import Foundation

/// What a noise-range test found: `noise-range.json`, and what `peo tune --find-sigma` prints.
public struct NoiseRangeReport: Codable, Sendable {
    static let fileName = "noise-range.json"

    public var name: String
    /// The kind of noise.
    public var noise: String
    public var range: NoiseRange

    init(name: String, noise: String, _ range: NoiseRange) {
        self.name = name
        self.noise = noise
        self.range = range
    }

    /// The report for people.
    public var text: String {
        func shown(_ value: Double) -> String { String(format: "%.2g", value) }
        let last = range.points.last?.sigma ?? 0
        guard let felt = range.felt else {
            return
                "\(noise) noise is not felt up to σ = \(shown(last))·RMS(g); go on with a larger --to, or more --steps"
        }
        var lines = [
            "\(noise) noise, σ in units of each tensor's RMS gradient (of all: \(shown(range.gradient)), the median over the run):",
            "  felt from σ = \(shown(felt))"
                + " (\(Int(NoiseRange.feltShare * 100))% of what was learnt is lost)",
            range.broken.map {
                "  breaks the training at σ = \(shown($0)) (\(Int(NoiseRange.brokenShare * 100))% is lost)"
            } ?? "  does not break the training up to σ = \(shown(last))",
        ]
        if let band = range.band {
            lines.append(
                "  worth a search: {relative: {log: [\(shown(band.lowerBound)), \(shown(band.upperBound))]}}")
        }
        return lines.joined(separator: "\n")
    }
}
