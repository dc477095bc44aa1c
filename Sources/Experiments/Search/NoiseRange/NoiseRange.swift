import Foundation

/// What strengths of noise a training feels, from two runs that differ in the noise alone: one whose strength rises from tiny
/// to breaking, and one without.
///
/// With S and S₀ the training losses of the two, each the mean over a window of a 25th of the run, what is lost of what
/// was learnt since the first loss L₀(0) is
///
///   e(t) = (S(t) − S₀(t)) / (L₀(0) − min S₀)
///
/// The noise is felt from the σ after which e stays above ``feltShare``, and breaks the training where e exceeds ``brokenShare`` or
/// the loss is not finite. After Smith (2017), "Cyclical learning rates for training neural networks", who ramps the learning rate.
public struct NoiseRange: Codable, Sendable {
    /// e that is felt.
    public static let feltShare = 0.05
    /// e that breaks the training.
    public static let brokenShare = 0.5

    /// One step of the two runs.
    public struct Point: Codable, Sendable {
        /// σ, in units of each tensor's RMS gradient.
        public var sigma: Double
        /// S, with the noise; nil where it is not finite.
        public var noisy: Double?
        /// S₀, without.
        public var clean: Double
    }

    /// Some hundred steps of the runs, in order.
    public var points: [Point]
    /// The RMS gradient ‖g‖/√n over all parameters, without noise: the median over the steps.
    public var gradient: Double
    /// From where the noise is felt; nil: nowhere.
    public var felt: Double?
    /// Where it breaks the training; nil: nowhere.
    public var broken: Double?

    /// The strengths to search between: from a tenth of what is felt to half way, by factors, from there to what breaks, and
    /// to a third of that at most.
    public var band: ClosedRange<Double>? {
        guard let felt else { return nil }
        let most = broken ?? points.last.map { max($0.sigma, felt) } ?? felt
        return (felt / 10)...min((felt * most).squareRoot(), broken.map { $0 / 3 } ?? most)
    }

    private static let windows = 25
    private static let kept = 200

    /// - Parameters:
    ///   - sigmas: σ of each step of the clean run's length.
    ///   - noisy: the losses with the noise; fewer where the run broke off.
    ///   - clean: the losses without.
    ///   - gradient: the RMS gradient without.
    package init(sigmas: [Double], noisy: [Double], clean: [Double], gradient: Double) {
        self.gradient = gradient
        let half = max(1, clean.count / Self.windows / 2)
        let smoothClean = Self.smooth(clean, half)
        let smoothNoisy = Self.smooth(noisy, half)
        let learnt = max(clean[0] - smoothClean.min()!, .leastNormalMagnitude)
        let lost = zip(smoothNoisy, smoothClean).map { noisy, clean in
            noisy.isFinite ? (noisy - clean) / learnt : .infinity
        }
        let brokenStep =
            lost.firstIndex { $0 > Self.brokenShare } ?? (noisy.count < clean.count ? noisy.count - 1 : nil)
        // The last step that does not feel it, looked for up to where it breaks.
        let lastUnfelt = lost[..<(brokenStep ?? lost.count)].lastIndex { $0 <= Self.feltShare }
        let feltStep = lastUnfelt.map { $0 + 1 } ?? 0
        felt =
            feltStep < (brokenStep ?? lost.count) || brokenStep != nil
            ? sigmas[min(feltStep, sigmas.count - 1)] : nil
        broken = brokenStep.map { sigmas[$0] }
        let every = max(1, clean.count / Self.kept)
        points = stride(from: 0, to: clean.count, by: every).map { step in
            let noisy = step < smoothNoisy.count && smoothNoisy[step].isFinite ? smoothNoisy[step] : nil
            return Point(sigma: sigmas[step], noisy: noisy, clean: smoothClean[step])
        }
    }

    /// The mean over each step's neighbours.
    private static func smooth(_ values: [Double], _ half: Int) -> [Double] {
        values.indices.map { step in
            let window = values[max(0, step - half)...min(values.count - 1, step + half)]
            return window.reduce(0, +) / Double(window.count)
        }
    }
}
