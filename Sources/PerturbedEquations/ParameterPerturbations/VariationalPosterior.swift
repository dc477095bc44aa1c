/// The normal distribution q = N(θ, diag(s²)) that variational rules have learnt before a step: s = 1/√(λ(p + a)), p being their
/// ``VariationalRule/precisionState``.
struct VariationalPosterior<Rule: VariationalRule> {
    /// The rule of each parameter; nil where another one has it.
    let rules: [Rule?]
    let updates: [Int]
    let step: Int

    init(_ rules: [Rule?], _ pass: ObjectivePass) {
        self.rules = rules
        updates = pass.optimizer.updates
        step = pass.step
    }

    /// 1/s² of one block's elements; nil where another rule has the parameter.
    func precision<S: EquationScalar>(_ block: ObjectiveBlock<S>) -> Precision<S>? {
        guard let rule = rules[block.parameter] else { return nil }
        let (name, initial) = rule.precisionState
        return Precision(
            state: block.ruleState[rule.stateNames.firstIndex(of: name)!],
            initial: updates[block.parameter] == 0 ? S(initial) : nil, size: S(rule.size(at: step)),
            added: S(rule.addedPrecision(at: step)))
    }

    struct Precision<S: EquationScalar> {
        let state: UnsafeMutableBufferPointer<S>
        /// p before the first update.
        let initial: S?
        let size: S
        let added: S

        /// λ(p + a).
        subscript(_ element: Int) -> S { size * ((initial ?? state[element]) + added) }
    }

    /// θ̃ ← θ + s⊙ξ
    func sample(draw: Int) -> some BlockWork { Sample(posterior: self, draw: draw) }

    private struct Sample: BlockWork {
        let posterior: VariationalPosterior
        let draw: Int

        func run<S: EquationScalar>(_ block: ObjectiveBlock<S>) -> SIMD4<Double> {
            block.reset()
            guard let precision = posterior.precision(block) else { return .zero }
            for i in 0..<block.count { block.scratch[i] = 1 / precision[i].squareRoot() }
            var theta = block.parameters.mutableSpan
            block.noise(draw: draw).add(
                .normal, scale: 1, times: UnsafeBufferPointer(block.scratch).span, to: &theta)
            return .zero
        }
    }
}
