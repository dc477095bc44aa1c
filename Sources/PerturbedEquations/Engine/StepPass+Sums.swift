/// The terms' own sums, such as ⟨ξ, g⟩.
extension StepPass {
    /// Gathers the sums, over each tensor, of the terms that have a need.
    func gatherSums(
        _ need: Requirements, isSecondRound: Bool, _ backwards: Bool
    ) -> [[SIMD4<Double>]] {
        let blocks = optimizer.blocks
        let width = terms.map(\.count).max() ?? 0
        var partial = [SIMD4<Double>](repeating: .zero, count: blocks.count * width)
        partial.withUnsafeMutableBufferPointer { partial in
            nonisolated(unsafe) let partial = partial
            _ = perThread { range, scratch in
                for turn in range {
                    let index = Self.walk(range, turn, backwards)
                    let block = blocks[index]
                    let own = terms[optimizer.groupOf[block.parameter]]
                    for (place, term) in own.enumerated() where term.needs.contains(need) {
                        var site = site(term, place, block)
                        site.isSecondRound = isSecondRound
                        partial[index * width + place] = blockSums(term, site, block, scratch)
                    }
                }
                return 0
            }
        }
        var sums = [[SIMD4<Double>]](
            repeating: [SIMD4<Double>](repeating: .zero, count: width), count: optimizer.parameters.count)
        for (index, block) in blocks.enumerated() {
            for place in 0..<width { sums[block.parameter][place] += partial[index * width + place] }
        }
        return sums
    }

    /// Adds sums up over the tensors of each group.
    func totals(of sums: [[SIMD4<Double>]]) -> [[SIMD4<Double>]] {
        var totals = terms.map { [SIMD4<Double>](repeating: .zero, count: $0.count) }
        for (parameter, group) in optimizer.groupOf.enumerated() {
            for place in totals[group].indices { totals[group][place] += sums[parameter][place] }
        }
        return totals
    }
}
