extension PerturbedOptimizer {
    /// A group with what it left out filled in.
    struct ResolvedGroup {
        let rule: any UpdateRule
        let needs: RuleRequirements
        /// Which of the rule's state tensors is its average of ĝ².
        let secondMoment: Int?
        let terms: [Term]
    }

    /// The equation and the groups, each with what it left out filled in, and the group of each parameter.
    static func resolve(
        _ groups: [ParameterGroup], of equation: PerturbedEquation, for parameters: [ParameterSpec],
        run: RunLength?
    ) throws -> ([ResolvedGroup], [Int]) {
        var result: [ResolvedGroup] = []
        func add(_ equation: PerturbedEquation) {
            let rule = equation.rule
            result.append(
                ResolvedGroup(
                    rule: rule, needs: rule.requirements,
                    secondMoment: rule.secondMomentName.flatMap { rule.stateNames.firstIndex(of: $0) },
                    terms: Term.list(of: equation.perturbation)))
        }
        add(equation)
        for (index, group) in groups.enumerated() {
            try within("groups.\(index)") {
                try require(
                    parameters.contains { group.matches($0.name) }, "parameters", is: group.parameters,
                    allowed: "patterns that match at least one of: "
                        + parameters.map(\.name).joined(separator: ", "))
                var own = PerturbedEquation(
                    rule: group.rule ?? equation.rule,
                    perturbation: group.perturbation ?? equation.perturbation)
                try own.validate()
                if let run { own = own.resolved(for: run) }
                try own.requireLengths()
                try own.validate()
                try own.requireTogether(with: equation.stability)
                add(own)
            }
        }
        let groupOf = parameters.map { spec in
            (groups.firstIndex { $0.matches(spec.name) } ?? -1) + 1
        }
        for (index, group) in groups.enumerated() where !groupOf.contains(index + 1) {
            throw ConfigurationError(
                "is \(group.parameters), all of which belong to earlier groups; allowed: patterns that match a "
                    + "parameter of no earlier group", path: "groups.\(index).parameters")
        }
        let estimates = Set(
            result.flatMap(\.terms).compactMap { ($0.perturbation as? CurvatureShaped)?.hessianEstimate })
        try require(
            estimates.count <= 1, "perturbation",
            is: "with \(estimates.count) different estimates of the Hessian",
            allowed: "curvatureShaped terms that agree on every, probes and average")
        return (result, groupOf)
    }
}
