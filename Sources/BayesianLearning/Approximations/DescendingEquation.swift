import PerturbedEquations

extension PerturbedEquation {
    /// The equation of a chain that goes to a mode of U and stays there, with the prior in its gradient.
    ///
    /// - Parameter posterior: the approximation's name, for errors.
    /// - Throws: `ConfigurationError` for a rule that samples, learns a distribution, or has a weight decay beside the prior.
    func descending(for posterior: String) throws -> PerturbedEquation {
        let name = type(of: rule).catalogueEntry.name
        if rule is any PosteriorRule {
            throw ConfigurationError(
                "is \(name), which samples; allowed with posterior: \(posterior): rules that go to a mode, such as sgd or adam. "
                    + "\(name) goes with posterior: chains", path: "rule")
        }
        if rule is any VariationalRule {
            throw ConfigurationError(
                "is \(name), which learns a distribution of its own; allowed with posterior: \(posterior): rules that go to a "
                    + "mode, such as sgd or adam. \(name) goes with posterior: variational", path: "rule")
        }
        if let decay = (rule as? any WeightDecayingRule)?.weightDecay, decay.constant != 0 {
            throw ConfigurationError(
                "is \(decay.constant.map { "\($0)" } ?? "a schedule"); allowed: 0, since a Gaussian prior is said by the prior",
                path: "rule.\(name).weightDecay")
        }
        return self
    }
}
