extension PerturbedEquation {
    /// The place and the name of the noise whose strength a study varies: the first term with a strength σ, or a Gaussian
    /// term after all others where there is none.
    package var studiedNoise: (place: Int, name: String) {
        let place = perturbation.firstIndex { $0 is any NoiseOfStrength }
        return place.map { ($0, type(of: perturbation[$0]).catalogueEntry.name) }
            ?? (perturbation.count, Gaussian.catalogueEntry.name)
    }

    /// The equation with that noise at another strength, and without other noise of a strength σ, without bounds on the
    /// noise, a watch on the loss and closed loops: what shows what the noise does.
    package func studying(_ sigma: Strength) -> PerturbedEquation {
        let place = studiedNoise.place
        var result = self
        if place == perturbation.count { result.perturbation.append(Gaussian(sigma: sigma)) }
        // Terms keep their places, which are part of their noise's address.
        for index in result.perturbation.indices {
            guard var noise = result.perturbation[index] as? any NoiseOfStrength else { continue }
            noise.sigma = index == place ? sigma : 0
            result.perturbation[index] = noise
        }
        result.stability.perturbationToGradient = nil
        result.stability.varianceBound = nil
        result.stability.sigmaMax = nil
        result.stability.rollbackOnSpike = nil
        result.controllers = []
        return result
    }
}
