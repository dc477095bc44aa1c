import CPerturbationKernels

/// The gradient of a penalty on the weights: regularisation as a perturbation.
///
/// δ = λ₁·sign(θ) + λ₂·θ, the gradient of λ₁‖θ‖₁ + ½λ₂‖θ‖². Both together are the elastic net. Inside an
/// adaptive rule this is L2 regularisation, not decoupled weight decay: for that use AdamW.
///
/// Source: Tibshirani 1996 (L1); Zou and Hastie 2005, Regularization and Variable Selection via the Elastic
/// Net.
public struct WeightPenalty: KernelPerturbation {
    /// λ₁, ≥ 0.
    public var l1: Scheduled
    /// λ₂, ≥ 0.
    public var l2: Scheduled

    public init(l1: Scheduled = 0, l2: Scheduled = 0) {
        self.l1 = l1
        self.l2 = l2
    }

    public func isZero(at step: Int) -> Bool { l1.value(at: step) == 0 && l2.value(at: step) == 0 }

    public func variance(at site: Site) -> ElementVariance? { .zero }

    /// Parameters are taken to be below 2⁶⁴ in size: a model with larger ones is lost without any penalty.
    public func bound(at site: Site) -> ElementBound? {
        ElementBound(constant: l1.value(at: site.step) + l2.value(at: site.step) * 0x1p64)
    }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&l1)
        try body(&l2)
    }

    public func validate() throws {
        try l1.require("l1", in: 0...Double.greatestFiniteMagnitude, allowed: "a finite factor ≥ 0")
        try l2.require("l2", in: 0...Double.greatestFiniteMagnitude, allowed: "a finite factor ≥ 0")
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "weightPenalty", summary: "The gradient of an L1 and L2 penalty on the weights.",
        equation: "δ = λ₁·sign(θ) + λ₂·θ",
        parameters: [
            .init("l1", "schedule", default: "0", allowed: "≥ 0", unit: "gradient units", "λ₁"),
            .init("l2", "schedule", default: "0", allowed: "≥ 0", unit: "gradient units per θ", "λ₂"),
        ],
        source: "Zou and Hastie 2005, Regularization and Variable Selection via the Elastic Net")

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(l1: try container.decode(.l1, default: 0), l2: try container.decode(.l2, default: 0))
    }

    func accumulate<S: EquationScalar>(
        _ delta: UnsafeMutableBufferPointer<S>, gradient: UnsafeBufferPointer<S>,
        parameters: UnsafeBufferPointer<S>, at site: Site
    ) {
        site.clearIfFirst(delta)
        let kernels = S.kernels(site.noise.level)
        let l1 = l1.value(at: site.step)
        let l2 = l2.value(at: site.step)
        if l1 != 0 { kernels.pointee.add_sign(delta.baseAddress, parameters.baseAddress, delta.count, l1) }
        if l2 != 0 { kernels.pointee.add_scaled(delta.baseAddress, parameters.baseAddress, delta.count, l2) }
    }
}
