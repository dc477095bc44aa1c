/// Noise with the covariance of the minibatch gradient, from the gradients of its micro-batches.
///
/// δ = s(t)·Σᵢ √(aᵢ/(m−1))·ξᵢ·(gᵢ − ḡ), ξᵢ ~ N(0, 1), one number for each of the m micro-batches, of shares aᵢ of the batch.
/// Given the micro-batches the covariance of δ is s² times the unbiased estimate of that of ḡ: s = 1 doubles the
/// minibatch's own noise, as half the batch size would. It needs two or more micro-batches per step
/// (`training.accumulate`); δ lies in the space that their gradients span.
///
/// Its element variance is taken to be the mean square of δ/s over the tensor, an unbiased estimate from one draw.
///
/// Source: Wu, Hu, Xiong, Huan, Braverman, Zhu 2020, On the Noisy Gradient Descent that Generalizes as SGD.
public struct GradientCovariance: ElementaryPerturbation {
    /// s, ≥ 0, default 1.
    public var scale: Scheduled

    public init(scale: Scheduled = 1) {
        self.scale = scale
    }

    public func requirements(at step: Int) -> Requirements { [.signal(.microBatchNoise), .varianceSums] }
    public func isZero(at step: Int) -> Bool { scale.value(at: step) == 0 }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&scale)
    }

    public func validate() throws {
        try scale.require("scale", in: 0...Double.greatestFiniteMagnitude, allowed: "a finite factor ≥ 0")
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "gradientCovariance", summary: "Noise with the covariance of the minibatch gradient.",
        equation: "δ = s·Σᵢ √(aᵢ/(m−1))·ξᵢ·(gᵢ − ḡ) over micro-batches, ξᵢ ~ N(0, 1)",
        parameters: [
            .init(
                "scale", "schedule", default: "1", allowed: "≥ 0", unit: "ratio to the minibatch's own noise",
                "s")
        ],
        source: "Wu et al. 2020, On the Noisy Gradient Descent that Generalizes as SGD")

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(scale: try container.decode(.scale, default: 1))
    }

    private func scale(at site: Site) -> Double {
        site.limited(scale.value(at: site.step), rootMeanSquare: deviation(at: site)) * site.clipScale
    }

    private func deviation(at site: Site) -> Double {
        site.sums[1] > 0 ? (site.sums[0] / site.sums[1]).squareRoot() * site.clipScale : 0
    }

    public func variance(at site: Site) -> ElementVariance? {
        guard site.sums[1] > 0 else { return .zero }
        let scale = scale(at: site)
        return ElementVariance(constant: scale * scale * site.sums[0] / site.sums[1])
    }

    /// Σ of the squared signal, and the number of elements.
    func kernelSums<S: EquationScalar>(
        gradient: UnsafeBufferPointer<S>, parameters: UnsafeBufferPointer<S>, at site: Site
    ) -> SIMD4<Double> {
        let noise = site.signal(.microBatchNoise, as: S.self)
        let square = S.kernels(site.noise.level).pointee.dot(
            noise.baseAddress, noise.baseAddress, noise.count)
        return [square, Double(noise.count), 0, 0]
    }

    static var mostTerms: Int { 1 }

    func appendTerms<S: EquationScalar>(to terms: inout BlockTerms, at site: Site, for _: S.Type) {
        terms.append(along: site.signal(.microBatchNoise, as: S.self), scale(at: site))
    }
}
