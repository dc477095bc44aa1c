extension PerturbedOptimizer {
    /// σ(t) of the next step, as far as it is known before its gradient: that of the equation's first noise term with
    /// an absolute strength, after the controllers' factors, the spike guard's cut and σ_max; nil where there is none.
    ///
    /// What a network that is conditioned on σ(t) is told.
    public var sigma: Double? {
        for term in groups[0].terms {
            guard let noise = term.perturbation as? any NoiseOfStrength,
                case .absolute(let schedule) = noise.sigma
            else { continue }
            let limit = equation.stability.sigmaMax?.value(at: step) ?? .infinity
            return min(schedule.value(at: step) * strengthScale, limit)
        }
        return nil
    }
}
