/// Adaptive gradient clipping: a gradient may be large where the weights are.
///
/// For each unit, g ← g·min(1, λ·max(‖θ‖, ε)/‖g‖), norms over the unit. A unit is one row of the first axis of a
/// tensor of two axes or more (an output of a layer, in PyTorch's layout of weights); a vector or a scalar, such
/// as a bias, is one unit. It comes after the other kinds of clipping.
///
/// The source leaves the last linear layer alone: name it in `exclude`.
///
/// ```yaml
/// stability: {clipAdaptive: {ratio: 0.01, exclude: ["output.*"]}}
/// ```
///
/// It costs one more read of g and θ, and O(units) numbers.
///
/// Source: Brock et al. 2021, High-Performance Large-Scale Image Recognition Without Normalization.
public struct AdaptiveClip: Sendable, Codable {
    /// λ, > 0; the source uses 0.01 to 0.16, smaller for larger batches.
    public var ratio: Scheduled
    /// ε: weights of a smaller norm count as having this one, so that weights which start at 0 can move; > 0.
    public var floor: Double
    /// Whether each row of the first axis is a unit; else each tensor is one.
    public var unitWise: Bool
    /// Names of parameters, or patterns with `*`, that are left alone.
    public var exclude: [String]

    public init(ratio: Scheduled, floor: Double = 1e-3, unitWise: Bool = true, exclude: [String] = []) {
        self.ratio = ratio
        self.floor = floor
        self.unitWise = unitWise
        self.exclude = exclude
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            ratio: try container.decode(Scheduled.self, forKey: .ratio),
            floor: try container.decode(.floor, default: 1e-3),
            unitWise: try container.decode(.unitWise, default: true),
            exclude: try container.decode(.exclude, default: []))
    }

    func validate() throws {
        try ratio.require(
            "ratio", in: Double.leastNonzeroMagnitude...Double.greatestFiniteMagnitude,
            allowed: "a finite ratio > 0")
        try require(floor > 0 && floor.isFinite, "floor", is: floor, allowed: "a finite norm > 0")
    }

    /// How many units a parameter has; 0 where it is left alone.
    func units(of spec: ParameterSpec) -> Int {
        guard spec.count > 0, !exclude.contains(where: { ParameterGroup.match($0, spec.name) }) else {
            return 0
        }
        return unitWise && spec.shape.count >= 2 ? spec.shape[0] : 1
    }
}
