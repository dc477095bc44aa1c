/// Whether σ_max binds.
extension StepPass {
    /// Whether σ_max bounds the strength of some term's noise in this step, as far as terms declare a strength or a
    /// variance: all catalogued ones do.
    func strengthIsLimited() -> Bool {
        guard strengthLimit < .infinity else { return false }
        return optimizer.blocks.contains { block in
            guard block.start == 0, hasGradient(block.parameter) else { return false }
            return terms[optimizer.groupOf[block.parameter]].enumerated().contains { place, term in
                let limited = site(term, place, block)
                var free = limited
                free.strengthLimit = .infinity
                let perturbation = term.perturbation
                return perturbation.variance(at: limited) != perturbation.variance(at: free)
                    || perturbation.strength(at: limited) != perturbation.strength(at: free)
            }
        }
    }
}
