/// MeZO: training with forward passes alone; the gradient along one random direction, from two losses.
///
/// p = (L(θ + ε(t)·z) − L(θ − ε(t)·z))/(2ε(t)), z ~ N(0, 1) per element; the step goes on with g = p·z, which is
/// E[g] = ∇L(θ) + O(ε²). z is never stored: it is drawn again, from its address, block by block wherever g is read.
/// So there is no gradient memory; a rule with state, clipping and the other stages work as ever. The reported loss is
/// the mean of the two.
///
/// `exact: true` keeps one copy of θ and restores it to the bit. `exact: false` keeps nothing, as in the paper: θ
/// comes back as (θ − εz) + εz, which differs by rounding, up to about one unit in the last place of θ ± εz per
/// step, also where an evaluation throws or the step is skipped; not with bfloat16 parameters, where that would be
/// much. (No way of the shape θ + εz back to θ can be exact without memory: near 0 there are more floats than
/// around εz.)
///
/// Every parameter takes part. Two forward passes.
///
/// Source: Malladi et al. 2023, Fine-Tuning Language Models with Just Forward Passes; Spall 1992 (SPSA).
public struct MeZO: ParameterPerturbation {
    /// ε, the distance of the evaluations along z, in units of θ; > 0, default 0.001.
    public var epsilon: Scheduled
    /// Whether θ is restored to the bit, at the price of one copy; default true.
    public var exact: Bool

    public init(epsilon: Scheduled = 0.001, exact: Bool = true) {
        self.epsilon = epsilon
        self.exact = exact
    }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&epsilon)
    }

    public func validate() throws { try ObjectiveChecks.positive("epsilon", epsilon) }

    public func validate(for parameters: [ParameterSpec]) throws {
        if !exact, let narrow = parameters.first(where: { $0.scalar == .bfloat16 }) {
            throw ConfigurationError(
                "is false with the bfloat16 parameter \(narrow.name); allowed: true, or parameters of float32 or "
                    + "float64", path: "exact")
        }
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "mezo", summary: "MeZO: forward passes alone, no gradient memory.",
        equation: "g ← p·z, p = (L(θ + ε(t)·z) − L(θ − ε(t)·z))/(2ε(t)), z ~ N(0, 1)",
        parameters: [
            .init(
                "epsilon", "schedule", default: "0.001", allowed: "> 0", unit: "θ",
                "ε, the distance of the evaluations along z"),
            .init(
                "exact", "boolean", default: "true", allowed: "true, false",
                "restore θ to the bit, from a copy; false: no copy, by subtracting"),
        ],
        source: "Malladi et al. 2023, Fine-Tuning Language Models with Just Forward Passes")

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            epsilon: try container.decode(.epsilon, default: 0.001),
            exact: try container.decode(.exact, default: true))
    }

    public func gradient(_ pass: ObjectivePass) throws -> ObjectiveGradient {
        let epsilon = epsilon.value(at: pass.step)
        func loss(_ distance: Double, from place: Double) throws -> Double {
            if exact {
                pass.perturb(PlainNoise(sigma: distance, draw: 0))
            } else {
                pass.shift(by: distance - place, draw: 0)
            }
            return try pass.evaluateLoss()
        }
        let above = try loss(epsilon, from: 0)
        let below = try loss(-epsilon, from: epsilon)
        let slope = (above - below) / (2 * epsilon)
        try pass.requireFinite(slope)
        return ObjectiveGradient(loss: (above + below) / 2, .noise(scale: slope, draw: 0))
    }
}
