/// What a controller multiplies.
public enum ControlledQuantity: String, Sendable, Codable, CaseIterable {
    /// The strength of every noise: of the terms of δ, before `stability.sigmaMax` bounds it, and of noise on the
    /// parameters (`randomWeights`, `parameterSpaceNoise`, `entropySGD`). Distances to where the gradient is taken (SAM's
    /// ρ, MeZO's ε) are no noise; a sampler's own noise is part of its rule, and stays as its temperature says.
    case sigma
    /// η of every rule.
    case learningRate
}

/// A closed loop: a factor on every noise strength or on the learning rate, that follows from what past steps showed.
///
/// A schedule knows only the step; a controller looks at the run. It is a value without memory: what it remembers is a
/// `ControllerState`, which the optimizer keeps, saves, and brings back with a rollback. The factor that it leaves
/// after a step holds for the next one. Several controllers multiply.
///
/// ```yaml
/// controllers:
///   - plateau: {scales: sigma, factor: 0.5, patience: 10}
///   - targetNoiseRatio: {target: 0.1}
/// ```
///
/// After a rollback the strengths are also cut for good (`stability.rollbackOnSpike.cut`); controllers that aim at a
/// strength aim at that much less (`Observation.strengthScale`), so that they do not undo the cut.
public protocol Controller: Catalogued {
    var scales: ControlledQuantity { get }

    /// Whether it measures what δ does, so that it steers nothing without δ. False unless told.
    var followsPerturbation: Bool { get }

    /// What must be measured at this step. Nothing unless told; the loss needs no measuring.
    func needs(at step: Int) -> ControllerNeeds

    /// Learns from a step that was applied. A step that was skipped or rolled back shows nothing.
    func observe(_ observation: Observation, _ state: inout ControllerState)

    /// Changes each schedule in place (to fill in lengths). Types with schedules implement it.
    mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows
}

extension Controller {
    public var followsPerturbation: Bool { false }
    public func needs(at step: Int) -> ControllerNeeds { [] }
    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {}
}

/// What a controller remembers: its factor and numbers of its own, by name.
public struct ControllerState: Hashable, Sendable, Codable {
    /// The controller's name in the catalogue.
    public let name: String
    /// What the quantity is multiplied by in the next step; 1 at the start.
    public var factor = 1.0
    /// Numbers of the controller's own; none at the start.
    public var values: [String: Double] = [:]

    package init(_ name: String) {
        self.name = name
    }

    /// A number of the controller's own; 0 before it is first set.
    public subscript(_ value: String) -> Double {
        get { values[value] ?? 0 }
        set { values[value] = newValue }
    }

    /// Multiplies the factor and keeps it in a range.
    mutating func multiply(by change: Double, in range: ClosedRange<Double>) {
        let product = factor * change
        if product.isFinite { factor = min(max(product, range.lowerBound), range.upperBound) }
    }
}

/// What a controller wants to know of a step, beside the loss.
public struct ControllerNeeds: OptionSet, Sendable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// ‖g‖ and ‖δ‖: a norm of each.
    public static let norms = ControllerNeeds(rawValue: 1)
    /// What the perturbation does to the step, `Observation.effect`: the rule twice more.
    public static let effect = ControllerNeeds(rawValue: 2)
    /// The gradient of a part of the batch: `PerturbedOptimizer.noteSmallBatch`.
    public static let smallBatch = ControllerNeeds(rawValue: 4)
}

/// What one applied step showed.
public struct Observation: Sendable {
    /// The logical step.
    public var step: Int
    /// L(θ) before the step; nil where the caller did not give it.
    public var loss: Double?
    /// ‖g‖ over all parameters, after clipping, and ‖δ‖, after the bounds; nil unless needed.
    public var gradientNorm: Double?
    public var perturbationNorm: Double?
    /// Whether a bound scaled δ or a noise strength of it down.
    public var isBounded = false
    /// nil unless needed.
    public var effect: Effect?
    /// nil unless needed.
    public var smallBatch: SmallBatch?
    /// The product of the cuts of all rollbacks so far.
    public var strengthScale = 1.0

    package init(step: Int, loss: Double? = nil) {
        self.step = step
        self.loss = loss
    }

    /// Lengths over all parameters, before the trust region.
    public struct Effect: Sendable, Hashable {
        /// ‖ηD(g+δ) − ηD(g)‖: how far the perturbation moves the step's end.
        public var perturbation: Double
        /// ‖ηD(g)‖ and ‖ηD(g+δ)‖.
        public var withoutPerturbation: Double
        public var step: Double
        /// ‖θ‖ before the step.
        public var parameters: Double

        package init(perturbation: Double, withoutPerturbation: Double, step: Double, parameters: Double) {
            self.perturbation = perturbation
            self.withoutPerturbation = withoutPerturbation
            self.step = step
            self.parameters = parameters
        }

        /// ‖ηD(g+δ) − ηD(g)‖/‖ηD(g)‖; 0 where the perturbation does nothing.
        public var ratio: Double { perturbation == 0 ? 0 : perturbation / withoutPerturbation }
    }

    /// Squared norms of the mean gradients over a part of the batch and over the whole, before any clipping.
    public struct SmallBatch: Sendable, Hashable {
        public var examples: Double
        public var squaredNorm: Double
        public var wholeExamples: Double
        public var wholeSquaredNorm: Double

        package init(
            examples: Double, squaredNorm: Double, wholeExamples: Double, wholeSquaredNorm: Double
        ) {
            self.examples = examples
            self.squaredNorm = squaredNorm
            self.wholeExamples = wholeExamples
            self.wholeSquaredNorm = wholeSquaredNorm
        }
    }
}
