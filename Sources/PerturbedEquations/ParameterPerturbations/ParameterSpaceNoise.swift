/// Noise on the parameters whose strength adapts until it makes the difference that is wanted.
///
/// θ̃ = θ + σξ, ξ ~ N(0, 1) per element, and the step goes on with ∇L(θ̃). After each applied step
/// σ ← ασ if d ≤ δ(t), else σ/α, where d is how far the perturbed model is from the unperturbed one:
/// - `distance: loss`: |L(θ̃) − L(θ)|, which takes a forward pass at θ every `every` steps;
/// - `distance: reported`: what was last given to `PerturbedOptimizer.report(noiseDistance:)`, such as the
///   distance between the actions of the two policies in reinforcement learning; without a report σ stays. For
///   programs of your own: `peo` reports none and refuses it.
///
/// One evaluation at θ̃ and 1/every forward passes per step. σ is kept with the optimizer's state; 0 stays 0.
///
/// What controllers and the cuts after rollbacks leave of every noise strength, s, multiplies both: the noise is sσξ and
/// the distance that is wanted sδ(t), so that the adaptation does not undo a cut. `stability.sigmaMax`, in gradient units,
/// is not for it.
///
/// Source: Plappert et al. 2018, Parameter Space Noise for Exploration (arXiv 2017).
public struct ParameterSpaceNoise: ParameterPerturbation {
    /// What d is.
    public enum Distance: String, Sendable, Codable, CaseIterable {
        case loss
        case reported
    }

    /// σ at the beginning, in units of θ; ≥ 0, default 0.01.
    public var sigma: Double
    /// δ, the distance that is wanted; ≥ 0, default 0.1.
    public var target: Scheduled
    /// α, the factor of one adaptation; ≥ 1, default 1.01.
    public var factor: Double
    public var distance: Distance
    /// Steps between adaptations by the loss; ≥ 1, default 1.
    public var every: Int

    public init(
        sigma: Double = 0.01, target: Scheduled = 0.1, factor: Double = 1.01, distance: Distance = .loss,
        every: Int = 1
    ) {
        self.sigma = sigma
        self.target = target
        self.factor = factor
        self.distance = distance
        self.every = every
    }

    public var isNoise: Bool { true }

    /// σ, and the distance that was reported and not used yet (−1: none).
    public var initialMemory: [Double] { [sigma, -1] }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&target)
    }

    public func validate() throws {
        try require(sigma >= 0 && sigma.isFinite, "sigma", is: sigma, allowed: "a finite number ≥ 0")
        try ObjectiveChecks.notNegative("target", target)
        try require(factor >= 1 && factor.isFinite, "factor", is: factor, allowed: "a finite number ≥ 1")
        try ObjectiveChecks.count("every", every, atMost: 1_000_000)
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "parameterSpaceNoise", summary: "Noise on the parameters that adapts to the distance it makes.",
        equation: "g ← ∇L(θ + σξ), ξ ~ N(0, 1); σ ← ασ if d ≤ δ(t), else σ/α",
        parameters: [
            .init(
                "sigma", "number", default: "0.01", allowed: "≥ 0", unit: "θ, a standard deviation",
                "σ at the beginning"),
            .init(
                "target", "schedule", default: "0.1", allowed: "≥ 0", unit: "that of the distance d",
                "δ, the distance that is wanted"),
            .init("factor", "number", default: "1.01", allowed: "≥ 1", "α, the factor of one adaptation"),
            .init(
                "distance", "name", default: "loss", allowed: "loss, reported",
                "d: |L(θ̃) − L(θ)|, or what a program of your own reports"),
            .init(
                "every", "integer", default: "1", allowed: "1 … 1000000", unit: "steps",
                "steps between adaptations by the loss"),
        ],
        source: "Plappert et al. 2018, Parameter Space Noise for Exploration")

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let d = ParameterSpaceNoise()
        self.init(
            sigma: try container.decode(.sigma, default: d.sigma),
            target: try container.decode(.target, default: d.target),
            factor: try container.decode(.factor, default: d.factor),
            distance: try container.decode(.distance, default: d.distance),
            every: try container.decode(.every, default: d.every))
    }

    public func gradient(_ pass: ObjectivePass) throws -> ObjectiveGradient {
        let (sigma, scale) = (pass.memory[0], pass.strengthScale)
        guard sigma * scale != 0 else { return ObjectiveGradient(loss: try pass.evaluate()) }
        pass.perturb(PlainNoise(sigma: sigma * scale, draw: 0))
        let loss = try pass.evaluate()
        var difference: Double?
        switch distance {
        case .loss:
            if pass.step % every == 0 {
                pass.restore()
                difference = abs(loss - (try pass.evaluateLoss()))
            }
        case .reported:
            if pass.memory[1] >= 0 { difference = pass.memory[1] }
            pass.memory[1] = -1
        }
        // A distance that is not a number is too far.
        if let difference {
            let isNear = difference <= target.value(at: pass.step) * scale
            let adapted = isNear ? sigma * factor : sigma / factor
            if adapted.isNormal { pass.memory[0] = adapted }
        }
        return ObjectiveGradient(loss: loss)
    }
}

extension PerturbedOptimizer {
    /// Tells a `parameterSpaceNoise` with `distance: reported` how far the perturbed model was from the
    /// unperturbed one; used at the next step. Without such a perturbation it does nothing.
    ///
    /// - Precondition: `distance ≥ 0`.
    public func report(noiseDistance distance: Double) {
        precondition(distance >= 0, "a distance is at least 0, not \(distance)")
        guard let noise = parameterPerturbation as? ParameterSpaceNoise, noise.distance == .reported else {
            return
        }
        objectiveMemory[1] = distance
    }

    /// The standard deviation of a `parameterSpaceNoise` in the next step, after the factors on every noise strength; nil
    /// where there is none.
    public var parameterNoise: Double? {
        parameterPerturbation is ParameterSpaceNoise ? objectiveMemory[0] * strengthScale : nil
    }
}
