import PerturbedEquations

/// A rule of a user's own that shows what rules are given: θ ← ĝ, the first state tensor gets its noise, and
/// its memory counts updates (0), elements (1), and holds the declared variance (2, 3).
struct ProbeRule: UpdateRule {
    static let catalogueEntry = CatalogueEntry(
        name: "probe", summary: "Shows what rules are given.", equation: "θ ← ĝ", parameters: [], source: "")

    var learningRate: Scheduled = 1

    var stateNames: [String] { ["noise"] }
    var requirements: RuleRequirements { [.noise, .noiseVariance, .sums] }
    var initialMemory: SIMD4<Double>? { [100, 0, 0, 0] }

    func update(_ block: UpdateBlock<Float>, at time: RuleTime) { probe(block, time) }
    func update(_ block: UpdateBlock<Double>, at time: RuleTime) { probe(block, time) }

    private func probe<S: EquationScalar>(_ block: UpdateBlock<S>, _ time: RuleTime) {
        // The memory is that of the update before, in every block.
        precondition(block.memory[0] == Double(99 + time.update))
        for i in block.parameters.indices { block.parameters[i] = block.perturbedGradient(i) }
        var noise = block.state[0].mutableSpan
        block.noise.fill(&noise, with: .normal)
        block.add(toSums: [Double(block.parameters.count), 0, 0, 0])
    }

    func remember(_ memory: inout SIMD4<Double>, of tensor: TensorUpdate) {
        precondition(tensor.sums[0] == Double(tensor.count))
        memory = [
            memory[0] + 1, memory[1] + tensor.sums[0], tensor.noiseVariance.constant,
            tensor.noiseVariance.perSquaredGradient,
        ]
    }
}
