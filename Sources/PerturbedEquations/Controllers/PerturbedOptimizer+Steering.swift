extension PerturbedOptimizer {
    /// Refuses controllers that would steer nothing: their factor would move, and the run would not.
    ///
    /// Terms count wherever they are, in the equation or in a group; one whose strength is 0 counts too, so that the arm
    /// without noise of a comparison may have the others' controllers.
    static func requireSteering(
        _ controllers: [any Controller], _ groups: [ResolvedGroup],
        _ parameterPerturbation: (any ParameterPerturbation)?
    ) throws {
        let terms = groups.flatMap(\.terms).map(\.perturbation)
        let perturbationIsNoise = terms.contains { $0.isNoise }
        for (index, controller) in controllers.enumerated() {
            let name = type(of: controller).catalogueEntry.name
            let path = "controllers.\(index).\(name)"
            if controller.followsPerturbation {
                let isMeasurable = controller.scales == .sigma ? perturbationIsNoise : !terms.isEmpty
                guard isMeasurable else {
                    throw ConfigurationError(
                        "measures what δ does, and the equation has \(terms.isEmpty ? "no term" : "no noise") in "
                            + "`perturbation`; allowed: with noise there, such as gaussian", path: path)
                }
            } else if controller.scales == .sigma && !perturbationIsNoise
                && parameterPerturbation?.isNoise != true
            {
                throw ConfigurationError(
                    "is sigma, and the equation has no noise whose strength it could scale; allowed: scales: "
                        + "learningRate, or noise in `perturbation` or on the parameters (randomWeights, "
                        + "parameterSpaceNoise, entropySGD)", path: "\(path).scales")
            }
        }
    }
}
