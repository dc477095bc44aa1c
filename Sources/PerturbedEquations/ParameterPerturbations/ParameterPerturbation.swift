/// Evaluates the objective at other parameters than θ: stage 1 of a step, θ̃ = θ + ε.
///
/// A parameter perturbation says where the objective is evaluated, how often, and which gradient the rest of
/// the step gets: clipping, gradient perturbation and the rule see one gradient g, as ever. It is a small
/// value; what it keeps between steps belongs to the optimizer and is saved with the rule's state. θ comes
/// back to the bit, from one copy, whatever happens.
///
/// ```swift
/// /// g = ∇L(θ + σξ): the gradient at a random neighbour.
/// struct Neighbour: ParameterPerturbation {
///     var sigma: Double
///
///     // Controllers and rollbacks scale it.
///     var isNoise: Bool { true }
///
///     func gradient(_ pass: ObjectivePass) throws -> ObjectiveGradient {
///         pass.perturb(Shift(sigma: sigma * pass.strengthScale))
///         return ObjectiveGradient(loss: try pass.evaluate())
///     }
///
///     struct Shift: BlockWork {
///         var sigma: Double
///         func run<S: EquationScalar>(_ block: ObjectiveBlock<S>) -> SIMD4<Double> {
///             block.addNoise(.normal, scale: sigma, draw: 0, to: block.parameters)
///             return .zero
///         }
///     }
/// }
/// ```
public protocol ParameterPerturbation: Catalogued {
    /// Evaluates the objective where it is wanted, and says which gradient the step goes on with.
    ///
    /// - Throws: what the objective throws, and what `pass` throws for a gradient that is not finite. Neither
    ///   must be caught: θ is restored and the step ends.
    func gradient(_ pass: ObjectivePass) throws -> ObjectiveGradient

    /// The names of the tensors that are kept between steps, in the parameters' type and shape; they start at
    /// zero. None unless told.
    var storedNames: [String] { get }

    /// The numbers that are kept between steps, as they start. None unless told.
    var initialMemory: [Double] { get }

    /// How many tensors in the parameters' type and shape a step needs besides the copy of θ. 0 unless told.
    var temporaries: Int { get }

    /// Whether it is noise whose strength it multiplies by `ObjectivePass.strengthScale`, so that controllers with
    /// `scales: sigma` and the cuts after rollbacks reach it. False unless told: a distance to where the gradient is taken
    /// (SAM's ρ, MeZO's ε) is no noise.
    var isNoise: Bool { get }

    /// Refuses parameters that it cannot work with. None unless told.
    ///
    /// - Throws: `ConfigurationError` naming the setting.
    func validate(for parameters: [ParameterSpec]) throws

    /// Changes each schedule in place (to fill in lengths). Types with schedules implement it.
    mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows
}

extension ParameterPerturbation {
    public static var catalogueEntry: CatalogueEntry {
        CatalogueEntry(
            name: String(describing: Self.self), summary: "A parameter perturbation of your own.",
            equation: "", parameters: [], source: "")
    }

    public var storedNames: [String] { [] }
    public var initialMemory: [Double] { [] }
    public var temporaries: Int { 0 }
    public var isNoise: Bool { false }
    public func validate(for parameters: [ParameterSpec]) throws {}
    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {}
}

/// What a parameter perturbation gives to the rest of the step.
public struct ObjectiveGradient: Sendable {
    /// Where g is.
    public enum Place: Sendable, Hashable {
        /// In the gradient buffers, as the last evaluation left it.
        case evaluated
        /// In a temporary tensor, by its number.
        case temporary(Int)
        /// Nowhere: g = scale·z with z ~ N(0, 1) from draw `draw` of the pass's noise, regenerated block by
        /// block wherever it is read.
        case noise(scale: Double, draw: Int)
    }

    /// The loss that the step reports and the spike guard watches.
    public var loss: Double
    public var place: Place
    /// The temporary tensor with the diagonal of the Hessian that a sampling rule asked for.
    var curvature: Int?

    public init(loss: Double, _ place: Place = .evaluated) {
        self.loss = loss
        self.place = place
    }

    init(loss: Double, _ place: Place, curvature: Int) {
        self.init(loss: loss, place)
        self.curvature = curvature
    }
}
