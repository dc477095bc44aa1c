/// Adaptive SAM: the worst neighbour within a distance relative to each parameter's size, so that the
/// sharpness which it lowers does not change when a layer is scaled up and the next one down.
///
/// ε = ρ(t)·T²g/‖Tg‖ with g = ∇L(θ), T = diag(|θ| + η) and ‖Tg‖ over all parameters; the step goes on with
/// ∇L(θ + ε). T scales every element; the authors' code leaves biases unscaled.
///
/// ρ = 0 and a zero gradient take one evaluation, others two.
///
/// Source: Kwon et al. 2021, ASAM: Adaptive Sharpness-Aware Minimization for Scale-Invariant Learning of Deep
/// Neural Networks.
public struct ASAM: ParameterPerturbation {
    /// ρ; ≥ 0, default 0.5: about ten times SAM's.
    public var rho: Scheduled
    /// η, what every parameter's size is raised by; ≥ 0, default 0.01.
    public var eta: Scheduled

    public init(rho: Scheduled = 0.5, eta: Scheduled = 0.01) {
        self.rho = rho
        self.eta = eta
    }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        try body(&rho)
        try body(&eta)
    }

    public func validate() throws {
        try ObjectiveChecks.distance("rho", rho)
        try ObjectiveChecks.notNegative("eta", eta)
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "asam", summary: "SAM at a distance relative to each parameter's size.",
        equation: "g ← ∇L(θ + ε), ε = ρ(t)·T²∇L(θ)/‖T∇L(θ)‖, T = diag(|θ| + η)",
        parameters: [
            .init(
                "rho", "schedule", default: "0.5", allowed: "≥ 0", unit: "1, relative to |θ| + η", "ρ"),
            .init(
                "eta", "schedule", default: "0.01", allowed: "≥ 0", unit: "θ",
                "η, added to every parameter's size"),
        ],
        source: "Kwon et al. 2021, ASAM: Adaptive Sharpness-Aware Minimization for Scale-Invariant Learning "
            + "of Deep Neural Networks")

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            rho: try container.decode(.rho, default: 0.5), eta: try container.decode(.eta, default: 0.01))
    }

    public func gradient(_ pass: ObjectivePass) throws -> ObjectiveGradient {
        let loss = try pass.evaluate()
        let rho = rho.value(at: pass.step)
        let eta = eta.value(at: pass.step)
        guard rho != 0 else { return ObjectiveGradient(loss: loss) }
        let norm = pass.run(ScaledSquares(eta: eta)).reduce(0) { $0 + $1[0] }.squareRoot()
        try pass.requireFinite(norm)
        guard norm != 0 else { return ObjectiveGradient(loss: loss) }
        pass.perturb(Ascend(scale: rho / norm, eta: eta))
        try pass.evaluate()
        return ObjectiveGradient(loss: loss)
    }

    /// ‖Tg‖²
    private struct ScaledSquares: BlockWork {
        let eta: Double

        func run<S: EquationScalar>(_ block: ObjectiveBlock<S>) -> SIMD4<Double> {
            guard let gradient = block.gradient else { return .zero }
            let eta = S(eta)
            for i in 0..<block.count {
                block.scratch[i] = (abs(block.parameters[i]) + eta) * gradient[i]
            }
            let scaled = UnsafeBufferPointer(block.scratch)
            return [block.dot(scaled, scaled), 0, 0, 0]
        }
    }

    /// θ̃ ← θ̃ + scale·T²g
    private struct Ascend: BlockWork {
        let scale: Double
        let eta: Double

        func run<S: EquationScalar>(_ block: ObjectiveBlock<S>) -> SIMD4<Double> {
            guard let gradient = block.gradient else { return .zero }
            let eta = S(eta)
            let scale = S(scale)
            for i in 0..<block.count {
                let size = abs(block.parameters[i]) + eta
                block.parameters[i] += scale * (size * size * gradient[i])
            }
            return .zero
        }
    }
}
