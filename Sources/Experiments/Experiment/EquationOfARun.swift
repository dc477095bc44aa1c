import PerturbedEquations

extension PerturbedEquation {
    /// The equation of a run that `peo` takes.
    ///
    /// - Throws: `ConfigurationError` also for what only a program of one's own can serve.
    init(ofRun decoder: any Decoder) throws {
        try self.init(from: decoder)
        if let noise = parameterPerturbation as? ParameterSpaceNoise, noise.distance == .reported {
            throw ConfigurationError(
                "is reported, and a run of peo reports no distance, so that σ would never adapt; allowed: loss (reported is "
                    + "for programs that call PerturbedOptimizer.report(noiseDistance:))",
                path: "parameterPerturbation.parameterSpaceNoise.distance")
        }
    }
}
