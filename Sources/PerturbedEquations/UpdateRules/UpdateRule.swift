/// When an update happens.
public struct RuleTime: Sendable, Hashable {
    /// The logical step, 0, 1, 2…: the time of schedules. Skipped steps count.
    public let step: Int
    /// The number of this parameter's update, 1, 2, 3…: the time of bias corrections. Steps that were skipped
    /// or in which the parameter had no gradient do not count.
    public let update: Int

    public init(step: Int, update: Int) {
        self.step = step
        self.update = update
    }
}

/// D: how the perturbed gradient becomes a change of θ.
///
/// θ ← θ − η(t)·D(ĝ; state, t), with ĝ = g + δ (g after clipping). A rule is a small value; its state
/// tensors belong to the optimizer, start at zero and have the shape of the parameter.
public protocol UpdateRule: Catalogued {
    /// η(t).
    var learningRate: Scheduled { get set }

    /// The names of the state tensors, as in PyTorch's optimizer state where it has one.
    var stateNames: [String] { get }

    /// Updates θ and the state of one block.
    func update(_ block: UpdateBlock<Float>, at time: RuleTime)
    func update(_ block: UpdateBlock<Double>, at time: RuleTime)

    /// Changes each schedule in place. Types with more schedules than the learning rate implement it.
    mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows
}

extension UpdateRule {
    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&learningRate)
    }
}

/// One block of one parameter: what a rule reads and writes.
public struct UpdateBlock<S: EquationScalar> {
    /// θ.
    public let parameters: UnsafeMutableBufferPointer<S>
    /// g, before scaling.
    public let gradient: UnsafeBufferPointer<S>
    /// δ, before scaling; nil where there is no perturbation.
    public let delta: UnsafeBufferPointer<S>?
    /// The state tensors' blocks, in the order of `stateNames`.
    public let state: [UnsafeMutableBufferPointer<S>]
    /// What g is multiplied by (clipping).
    public let gradientScale: Double
    /// What δ is multiplied by (the stability controller's bound).
    public let deltaScale: Double
    let level: SIMDLevel

    /// ĝ of one element: gradientScale·g + deltaScale·δ.
    public func perturbedGradient(_ i: Int) -> S {
        let g = S(gradientScale) * gradient[i]
        guard let delta else { return g }
        return g.addingProduct(S(deltaScale), delta[i])
    }
}

/// The settings that the built-in rules share, and the checks for them.
enum RuleChecks {
    static func rate(_ rate: Scheduled) throws {
        try rate.require(
            "learningRate", in: 0...Double.greatestFiniteMagnitude, allowed: "a finite learning rate ≥ 0")
    }

    static func decay(_ decay: Scheduled) throws {
        try decay.require(
            "weightDecay", in: 0...Double.greatestFiniteMagnitude, allowed: "a finite factor ≥ 0")
    }

    static func average(_ name: String, _ value: Double) throws {
        try require(value >= 0 && value < 1, name, is: value, allowed: "0 ≤ \(name) < 1")
    }

    static func epsilon(_ value: Double) throws {
        try require(value >= 0 && value.isFinite, "epsilon", is: value, allowed: "a finite number ≥ 0")
    }
}

extension CatalogueEntry.Parameter {
    static let learningRate = Self(
        "learningRate", "schedule", allowed: "≥ 0", unit: "θ per D", "η")

    static func weightDecay(default value: String = "0", _ meaning: String) -> Self {
        .init("weightDecay", "schedule", default: value, allowed: "≥ 0", unit: "1", meaning)
    }

    static func average(_ name: String, default value: String, _ meaning: String) -> Self {
        .init(name, "number", default: value, allowed: "0 ≤ \(name) < 1", meaning)
    }

    static func epsilon(_ value: String) -> Self {
        .init("epsilon", "number", default: value, allowed: "≥ 0", unit: "gradient units", "ε")
    }
}
