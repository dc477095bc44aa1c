import CPerturbationKernels

/// The gradient of a penalty on the weights: regularisation as a perturbation.
///
/// δ = λ₁·sign(θ) + λ₂·θ + λ_g·√n·θ/‖θ‖, the gradient of λ₁‖θ‖₁ + ½λ₂‖θ‖² + λ_g·√n·‖θ‖, the last over each tensor of n
/// elements. λ₁ and λ₂ together are the elastic net; λ_g is the group lasso, 0 where θ = 0. Inside an adaptive rule this is L2 regularisation, not decoupled weight decay: for that use AdamW.
///
/// Source: Tibshirani 1996 (L1); Zou and Hastie 2005, Regularization and Variable Selection via the Elastic
/// Net; Yuan and Lin 2006, Model Selection and Estimation in Regression with Grouped Variables.
public struct WeightPenalty: ElementaryPerturbation {
    /// λ₁, ≥ 0.
    public var l1: Scheduled
    /// λ₂, ≥ 0.
    public var l2: Scheduled
    /// λ_g, ≥ 0.
    public var group: Scheduled

    public init(l1: Scheduled = 0, l2: Scheduled = 0, group: Scheduled = 0) {
        self.l1 = l1
        self.l2 = l2
        self.group = group
    }

    public func requirements(at step: Int) -> Requirements {
        group.value(at: step) == 0 ? [] : .tensorParameters
    }

    public func isZero(at step: Int) -> Bool {
        l1.value(at: step) == 0 && l2.value(at: step) == 0 && group.value(at: step) == 0
    }

    public var isNoise: Bool { false }
    public func variance(at site: Site) -> ElementVariance? { .zero }

    /// Parameters are taken to be below 2⁶⁴ in size: a model with larger ones is lost without any penalty.
    public func bound(at site: Site) -> ElementBound? {
        let root = Double(site.gradient.count).squareRoot()
        return ElementBound(
            constant: l1.value(at: site.step) + l2.value(at: site.step) * 0x1p64
                + group.value(at: site.step) * root)
    }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&l1)
        try body(&l2)
        try body(&group)
    }

    public func validate() throws {
        try l1.require("l1", in: 0...Double.greatestFiniteMagnitude, allowed: "a finite factor ≥ 0")
        try l2.require("l2", in: 0...Double.greatestFiniteMagnitude, allowed: "a finite factor ≥ 0")
        try group.require("group", in: 0...Double.greatestFiniteMagnitude, allowed: "a finite factor ≥ 0")
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "weightPenalty",
        summary: "The gradient of a penalty on the weights: L1, L2, elastic, group norm.",
        equation: "δ = λ₁·sign(θ) + λ₂·θ + λ_g·√n·θ/‖θ‖",
        parameters: [
            .init("l1", "schedule", default: "0", allowed: "≥ 0", unit: "gradient units", "λ₁"),
            .init("l2", "schedule", default: "0", allowed: "≥ 0", unit: "gradient units per θ", "λ₂"),
            .init(
                "group", "schedule", default: "0", allowed: "≥ 0", unit: "gradient units",
                "λ_g, on the norm of each tensor"),
        ],
        source:
            "Zou and Hastie 2005, Regularization and Variable Selection via the Elastic Net; Yuan and Lin 2006"
    )

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            l1: try container.decode(.l1, default: 0), l2: try container.decode(.l2, default: 0),
            group: try container.decode(.group, default: 0))
    }

    static var mostTerms: Int { 2 }

    func appendTerms<S: EquationScalar>(to terms: inout BlockTerms, at site: Site, for _: S.Type) {
        let l1 = l1.value(at: site.step)
        if l1 != 0 { terms.append(alongSigns: l1) }
        // √n·θ/‖θ‖ is θ over its root mean square.
        let size = site.parameter.rootMeanSquare
        let ofNorm = size > 0 ? group.value(at: site.step) / size : 0
        // A subnormal θ can be too small for its inverse to be a number of the same type: it is as good as zero.
        let l2 = l2.value(at: site.step) + (S(ofNorm).isFinite ? ofNorm : 0)
        if l2 != 0 { terms.append(alongParameters: l2) }
    }
}
