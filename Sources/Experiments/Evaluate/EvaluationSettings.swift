import Training

/// What robustness is measured against.
public struct RobustnessSettings: Sendable, Equatable {
    /// Radii of FGSM and PGD, ≥ 0, in `InputUnits`.
    public var epsilons = [0.01, 0.03, 0.1]
    /// Steps of PGD, ≥ 1; nil leaves PGD out.
    public var pgdSteps: Int? = 20
    /// How many examples are attacked, drawn once; nil for all.
    public var attacked: Int?
    /// Kinds of damage, at all five severities; nil for all that fit.
    public var damage: [InputDamage]?
    /// Deviations of Gaussian noise on the inputs, ≥ 0, in `InputUnits`.
    public var noise: [Double] = []
    /// Whether noisy pixels stay within their range.
    public var noiseStaysInRange = true
    /// Shares of labels that are drawn anew.
    public var labelRates = [0.1, 0.2, 0.4, 0.6, 0.8]
    /// Whether the training data are read where labels in it stay wrong.
    public var memorisation = true

    public init() {}
}

/// How flatness is measured.
public struct FlatnessSettings: Sendable, Equatable {
    /// Training examples, drawn once; all where there are fewer. nil: 1024, or 64 sequences of tokens, each of which is as
    /// dear as many examples.
    public var examples: Int?
    /// Of the top eigenvalue's residual, as a share, > 0.
    public var tolerance = 0.01
    /// Products with the Hessian that power iteration takes at most, ≥ 1.
    public var iterations = 100
    /// Of the trace, ≥ 1.
    public var probes = 20
    /// Radii of the sharpness, > 0.
    public var rhos = [0.05, 0.1, 0.5]
    /// Gradients of one sharpness, ≥ 1.
    public var ascentSteps = 10
    /// Points of a slice and along each side of the grid, odd and ≥ 3; 0 leaves them out.
    public var slicePoints = 21
    public var gridPoints = 11
    /// How far slices and grid reach, > 0: at 1 weights and move are of one size.
    public var span = 1.0

    public init() {}
}
