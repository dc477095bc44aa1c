import PerturbedEquations

/// Proposes what a search tries next, as a point of the unit cube: one coordinate in [0, 1) for each setting.
///
/// A pure function of the key, the number of the trial and what was seen.
package protocol PointSampler: Sendable {
    /// - Parameters:
    ///   - trial: the number of the trial, from 0.
    ///   - seen: trials that have been measured, the best first.
    func point(ofTrial trial: Int, seen: [SeenPoint]) -> [Double]
}

/// A point that was tried, as far as it was trained.
package struct SeenPoint: Sendable {
    package var point: [Double]
    /// What is to be small; infinite for a trial that diverged or failed.
    package var loss: Double

    package init(point: [Double], loss: Double) {
        self.point = point
        self.loss = loss
    }
}

/// How a search proposes its trials.
public enum SearchMethod: String, Codable, Sendable, CaseIterable {
    /// Independent uniform points.
    case random
    /// Points that fill the space evenly: ``SobolSequence``.
    case sobol
    /// Points like the best so far: ``TreeParzenSampler``.
    case tpe

    func sampler(of ranges: [SearchRange], key: NoiseKey) -> any PointSampler {
        switch self {
        case .random: RandomSampler(dimensions: ranges.count, key: key)
        case .sobol: SobolSampler(dimensions: ranges.count, key: key)
        case .tpe: TreeParzenSampler(choices: ranges.map(\.choices), key: key)
        }
    }
}
