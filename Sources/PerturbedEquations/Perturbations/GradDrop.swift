import CPerturbationKernels

/// Each element keeps the gradient of one sign, drawn by how much the micro-batches agree.
///
/// With p = Σᵢ aᵢ·max(gᵢ, 0) and n = Σᵢ aᵢ·min(gᵢ, 0) over micro-batches of shares aᵢ, so that g = p + n, and
/// P = ½(1 + g/(p − n)) = p/(p − n):
///
/// ```
/// g + δ = p with probability P, else n          E[δ] = 0
/// δ = −(1 − ℓ)·n with probability P, else −(1 − ℓ)·p
/// ```
///
/// The element variance is (1 − ℓ)²·p·|n|. Where all micro-batches agree on a sign, δ = 0. It needs two or more
/// micro-batches per step (`training.accumulate`), of which the paper's tasks are the model.
///
/// Source: Chen, Ngiam, Huang, Luong, Kretzschmar, Chai, Anguelov 2020, Just Pick a Sign: Optimizing Deep Multitask
/// Models with Gradient Sign Dropout.
public struct GradDrop: ElementaryPerturbation {
    /// ℓ, how much of the other sign leaks through; 0 ≤ ℓ ≤ 1, default 0. At 1 nothing is dropped.
    public var leak: Scheduled

    public init(leak: Scheduled = 0) {
        self.leak = leak
    }

    public func requirements(at step: Int) -> Requirements { [.signal(.positivePart), .varianceSums] }
    public func isZero(at step: Int) -> Bool { leak.value(at: step) == 1 }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&leak)
    }

    public func validate() throws {
        try leak.require("leak", in: 0...1, allowed: "a share 0 ≤ leak ≤ 1")
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "gradDrop", summary: "Each element keeps one sign of the micro-batches' gradients.",
        equation:
            "g + δ = p with probability p/(p − n), else n; p, n the means of the positive and negative parts",
        parameters: [
            .init(
                "leak", "schedule", default: "0", allowed: "0 ≤ ℓ ≤ 1", "ℓ, how much of the other sign stays")
        ],
        source:
            "Chen et al. 2020, Just Pick a Sign: Optimizing Deep Multitask Models with Gradient Sign Dropout")

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(leak: try container.decode(.leak, default: 0))
    }

    private func scale(at site: Site) -> Double {
        site.limited(1 - leak.value(at: site.step), rootMeanSquare: deviation(at: site))
    }

    /// √mean(p·|n|).
    private func deviation(at site: Site) -> Double {
        site.sums[1] > 0 ? (site.sums[0] / site.sums[1]).squareRoot() : 0
    }

    public func variance(at site: Site) -> ElementVariance? {
        let deviation = scale(at: site) * deviation(at: site)
        return ElementVariance(constant: deviation * deviation)
    }

    /// Σ p·|n| and the number of elements.
    func kernelSums<S: EquationScalar>(
        gradient: UnsafeBufferPointer<S>, parameters: UnsafeBufferPointer<S>, at site: Site
    ) -> SIMD4<Double> {
        let positive = site.signal(.positivePart, as: S.self)
        let sum = S.kernels(site.noise.level).pointee.sign_drop_sum(
            positive.baseAddress, gradient.baseAddress, gradient.count, site.clipScale)
        return [sum, Double(gradient.count), 0, 0]
    }

    static var mostTerms: Int { 1 }

    func appendTerms<S: EquationScalar>(to terms: inout BlockTerms, at site: Site, for _: S.Type) {
        terms.append(
            signDropBy: site.signal(.positivePart, as: S.self), clip: site.clipScale, scale: scale(at: site),
            from: site.noise)
    }
}
