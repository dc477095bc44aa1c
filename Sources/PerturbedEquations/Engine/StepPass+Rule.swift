/// What rules need of the whole tensor, and what they remember of it.
extension StepPass {
    /// Var[ĝᵢ | g] of each tensor whose rule asks for it; empty where none does.
    func noiseVariances() -> [ElementVariance] {
        guard optimizer.groups.contains(where: { $0.needs.contains(.noiseVariance) }) else { return [] }
        var result = [ElementVariance](repeating: .zero, count: optimizer.parameters.count)
        for block in optimizer.blocks where block.start == 0 {
            let group = optimizer.groupOf[block.parameter]
            guard optimizer.groups[group].needs.contains(.noiseVariance) else { continue }
            var total = ElementVariance.zero
            for (place, term) in terms[group].enumerated() {
                guard let variance = term.perturbation.variance(at: site(term, place, block)) else {
                    preconditionFailure(
                        "\(type(of: term.perturbation)) declared its variance before and now does not")
                }
                total = total + variance.scaled(by: term.weight)
            }
            result[block.parameter] = total.scaled(by: deltaScale(block.parameter))
        }
        return result
    }

    /// Lets each rule with memory remember the update of each tensor. Once per applied step.
    func rememberRules() {
        guard !optimizer.ruleMemory.isEmpty else { return }
        var sums = [SIMD4<Double>](repeating: .zero, count: optimizer.parameters.count)
        if optimizer.ruleSums.isUsed {
            for block in optimizer.blocks where optimizer.needs(of: block.parameter).contains(.sums) {
                sums[block.parameter] += optimizer.ruleSums[block.index]
            }
        }
        for (index, spec) in optimizer.parameters.enumerated() where hasGradient(index) {
            rules[optimizer.groupOf[index]].remember(
                &optimizer.ruleMemory[index],
                of: TensorUpdate(
                    time: RuleTime(step: step, update: optimizer.updates[index] + 1), count: spec.count,
                    sums: sums[index], noiseVariance: variances.isEmpty ? .zero : variances[index]))
        }
    }
}

extension PerturbedOptimizer {
    func needs(of parameter: Int) -> RuleRequirements { groups[groupOf[parameter]].needs }
}

/// One slot of sums per block, for rules that sum: written by the thread that updates the block.
final class RuleSums {
    private let slots: UnsafeMutableBufferPointer<SIMD4<Double>>

    /// - Parameter count: the number of blocks; 0 where no rule sums.
    init(count: Int) {
        slots = .allocate(capacity: count)
        slots.initialize(repeating: .zero)
    }

    deinit { slots.deallocate() }

    var isUsed: Bool { !slots.isEmpty }

    subscript(block: Int) -> SIMD4<Double> { slots[block] }

    func clearedSlot(_ block: Int) -> UnsafeMutablePointer<SIMD4<Double>> {
        slots[block] = .zero
        return slots.baseAddress! + block
    }
}
