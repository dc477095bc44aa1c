/// The arithmetic of one block, in the scalar type in which its parameter is computed.
extension StepPass {
    func blockSums(
        _ term: PerturbedOptimizer.Term, _ site: Site, _ block: Block, _ scratch: ThreadScratch
    ) -> SIMD4<Double> {
        switch optimizer.parameters[block.parameter].scalar {
        case .float32, .bfloat16: typedSums(Float.self, term, site, block, scratch)
        case .float64: typedSums(Double.self, term, site, block, scratch)
        }
    }

    func perturbationSquares(_ block: Block, _ scratch: ThreadScratch) -> Double {
        switch optimizer.parameters[block.parameter].scalar {
        case .float32, .bfloat16: typedSquares(Float.self, block, scratch)
        case .float64: typedSquares(Double.self, block, scratch)
        }
    }

    func sumIsFinite(_ block: Block, _ scratch: ThreadScratch) -> Bool {
        switch optimizer.parameters[block.parameter].scalar {
        case .float32, .bfloat16: typedSumIsFinite(Float.self, block, scratch)
        case .float64: typedSumIsFinite(Double.self, block, scratch)
        }
    }

    func trialStep(_ block: Block, _ scratch: ThreadScratch) -> SIMD4<Double> {
        switch optimizer.parameters[block.parameter].scalar {
        case .float32, .bfloat16: typedTrialStep(Float.self, block, scratch)
        case .float64: typedTrialStep(Double.self, block, scratch)
        }
    }

    func trialEffect(_ block: Block, _ scratch: ThreadScratch) -> SIMD4<Double> {
        switch optimizer.parameters[block.parameter].scalar {
        case .float32, .bfloat16: typedTrialEffect(Float.self, block, scratch)
        case .float64: typedTrialEffect(Double.self, block, scratch)
        }
    }

    /// Updates a block; returns ‖δ‖² of it where that is measured.
    func updateBlock(_ block: Block, _ scratch: ThreadScratch) -> Double {
        switch optimizer.parameters[block.parameter].scalar {
        case .float32: return typedUpdate(Float.self, block, scratch)
        case .float64: return typedUpdate(Double.self, block, scratch)
        case .bfloat16:
            let square = typedUpdate(Float.self, block, scratch)
            roundBack(block, scratch)
            return square
        }
    }
}
