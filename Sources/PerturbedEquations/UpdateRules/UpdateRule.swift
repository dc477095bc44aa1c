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

    /// Which of the state tensors is an average (or sum) of ĝ², for terms that require `.secondMoment`; nil, unless
    /// told, for none.
    var secondMomentName: String? { get }

    /// What the rule needs besides ĝ and its state. Nothing unless told.
    var requirements: RuleRequirements { get }

    /// The numbers that the rule keeps for each parameter, as they are before its first update; nil, unless
    /// told, for none. They belong to the optimizer, are saved with the state and come back with a rollback.
    var initialMemory: SIMD4<Double>? { get }

    /// Changes the numbers after all blocks of a parameter were updated. Called once per parameter and update.
    func remember(_ memory: inout SIMD4<Double>, of tensor: TensorUpdate)

    /// Changes each schedule in place. Types with more schedules than the learning rate implement it.
    mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows
}

extension UpdateRule {
    public var secondMomentName: String? { nil }
    public var requirements: RuleRequirements { [] }
    public var initialMemory: SIMD4<Double>? { nil }
    public func remember(_ memory: inout SIMD4<Double>, of tensor: TensorUpdate) {}

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&learningRate)
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

    static func average(_ name: String, _ value: Scheduled) throws {
        try value.require(name, in: 0...0x1.fffffffffffffp-1, allowed: "0 ≤ \(name) < 1")
    }

    static func epsilon(_ value: Scheduled) throws {
        try notNegative("epsilon", value)
    }

    static func notNegative(_ name: String, _ value: Scheduled) throws {
        try value.require(name, in: 0...Double.greatestFiniteMagnitude, allowed: "a finite number ≥ 0")
    }
}

extension CatalogueEntry.Parameter {
    static let learningRate = Self(
        "learningRate", "schedule", allowed: "≥ 0", unit: "θ per D", "η")

    static func learningRate(default value: String) -> Self {
        .init("learningRate", "schedule", default: value, allowed: "≥ 0", unit: "θ per D", "η")
    }

    static func decoupled(_ value: String) -> Self {
        .init(
            "decoupled", "boolean", default: value, allowed: "true, false", "whether λ acts on θ directly")
    }

    static func weightDecay(default value: String = "0", _ meaning: String) -> Self {
        .init("weightDecay", "schedule", default: value, allowed: "≥ 0", unit: "1", meaning)
    }

    static func average(_ name: String, default value: String, _ meaning: String) -> Self {
        .init(name, "schedule", default: value, allowed: "0 ≤ \(name) < 1", meaning)
    }

    static func epsilon(_ value: String) -> Self {
        .init("epsilon", "schedule", default: value, allowed: "≥ 0", unit: "gradient units", "ε")
    }
}
