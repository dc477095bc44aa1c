extension PerturbedOptimizer {
    /// Refuses terms and controllers that need more of a batch than its gradient, for those who have nothing else to give.
    ///
    /// - Parameter giver: who gives the gradients, as "a chain".
    /// - Throws: `ConfigurationError` that names the signal or the controller.
    package func requireGradientsSuffice(of giver: String) throws {
        if let signal = possibleSignals.map(\.rawValue).min() {
            throw ConfigurationError(
                "has a term that needs the signal \(signal), which \(giver) does not give; allowed: terms that need none",
                path: "perturbation")
        }
        try require(
            !needsSmallBatch, "controllers", is: "gradientNoiseScale",
            allowed: "with the gradients of \(giver): others, since its minibatches have no parts")
    }
}
