/// Random weights (LPF-SGD): the gradient of a loss that is smoothed by noise on the parameters.
///
/// The step goes on with (1/M)·Σₘ ∇L(θ + σ(t)·s⊙ξₘ), ξₘ ~ N(0, 1) per element: an unbiased estimate of the gradient of
/// the smoothed loss E[L(θ + σs⊙ξ)]. With `scale: filter` s is the norm of the element's filter: of its row, all
/// that belongs to one index of a tensor's first axis; of the whole tensor where there is one axis or none. With
/// `scale: one` s = 1 and σ is in units of θ.
///
/// M evaluations, none of them at θ itself; the reported loss is their mean. σ = 0 takes one. σ is multiplied by what
/// controllers and the cuts after rollbacks leave of every noise strength; `stability.sigmaMax`, in gradient units, is not
/// for it.
///
/// Source: Bisla et al. 2022, Low-Pass Filtering SGD for Recovering Flat Optima in the Deep Learning
/// Optimization Landscape; unscaled: Orvieto et al. 2023, Explicit Regularization in Overparametrized Models via
/// Noise Injection.
public struct RandomWeights: ParameterPerturbation {
    /// What σ is relative to.
    public enum Scale: String, Sendable, Codable, CaseIterable {
        /// The norm of the element's filter.
        case filter
        /// Nothing: σ is in units of θ.
        case one
    }

    /// σ, a standard deviation; ≥ 0, default 0.005.
    public var sigma: Scheduled
    public var scale: Scale
    /// M, evaluations per step; 1…1000, default 1.
    public var samples: Int

    public init(sigma: Scheduled = 0.005, scale: Scale = .filter, samples: Int = 1) {
        self.sigma = sigma
        self.scale = scale
        self.samples = samples
    }

    public var temporaries: Int { samples > 1 ? 1 : 0 }
    public var isNoise: Bool { true }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&sigma)
    }

    public func validate() throws {
        try ObjectiveChecks.notNegative("sigma", sigma)
        try ObjectiveChecks.count("samples", samples, atMost: 1000)
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "randomWeights", summary: "Random weights (LPF-SGD): the gradient of a smoothed loss.",
        equation: "g ← (1/M)·Σₘ ∇L(θ + σ(t)·s⊙ξₘ), ξₘ ~ N(0, 1), s = ‖filter‖ or 1",
        parameters: [
            .init(
                "sigma", "schedule", default: "0.005", allowed: "≥ 0",
                unit: "a standard deviation, relative to ‖filter‖; with scale one in units of θ", "σ"),
            .init("scale", "name", default: "filter", allowed: "filter, one", "what σ is relative to"),
            .init("samples", "integer", default: "1", allowed: "1 … 1000", "M, evaluations per step"),
        ],
        source: "Bisla et al. 2022, Low-Pass Filtering SGD for Recovering Flat Optima in the Deep Learning "
            + "Optimization Landscape")

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            sigma: try container.decode(.sigma, default: 0.005),
            scale: try container.decode(.scale, default: .filter),
            samples: try container.decode(.samples, default: 1))
    }

    public func gradient(_ pass: ObjectivePass) throws -> ObjectiveGradient {
        let sigma = sigma.value(at: pass.step) * pass.strengthScale
        guard sigma != 0 else { return ObjectiveGradient(loss: try pass.evaluate()) }
        let rows = scale == .filter ? FilterNorms(pass) : nil
        var loss = 0.0
        for sample in 0..<samples {
            if let rows {
                pass.perturb(FilterNoise(rows: rows, sigma: sigma, draw: sample))
            } else {
                pass.perturb(PlainNoise(sigma: sigma, draw: sample))
            }
            loss += try pass.evaluate() / Double(samples)
            guard samples > 1 else { continue }
            pass.run(
                MixGradient(temporary: 0, keep: sample == 0 ? 0 : 1, scale: 1 / Double(samples)))
        }
        return ObjectiveGradient(loss: loss, samples > 1 ? .temporary(0) : .evaluated)
    }
}

/// θ̃ ← θ + σξ
struct PlainNoise: BlockWork {
    let sigma: Double
    let draw: Int

    func run<S: EquationScalar>(_ block: ObjectiveBlock<S>) -> SIMD4<Double> {
        block.reset()
        block.addNoise(.normal, scale: sigma, draw: draw, to: block.parameters)
        return .zero
    }
}

/// θ̃ ← θ + σ‖filter‖ξ
private struct FilterNoise: BlockWork {
    let rows: FilterNorms
    let sigma: Double
    let draw: Int

    func run<S: EquationScalar>(_ block: ObjectiveBlock<S>) -> SIMD4<Double> {
        block.reset()
        block.scratch.update(repeating: 0)
        block.addNoise(.normal, scale: 1, draw: draw, to: block.scratch)
        rows.forEachRow(of: block.parameter, start: block.start, count: block.count) { row, range in
            block.add(
                sigma * rows.norms[block.parameter][row], UnsafeBufferPointer(rebasing: block.scratch[range]),
                to: UnsafeMutableBufferPointer(rebasing: block.parameters[range]))
        }
        return .zero
    }
}
