/// The arithmetic of one block, for either scalar type.
extension StepPass {
    func blockSums(_ term: PerturbedOptimizer.Term, _ block: Block, _ scratch: ThreadScratch) -> SIMD4<Double>
    {
        switch optimizer.parameters[block.parameter].scalar {
        case .float32: typedSums(Float.self, term, block, scratch)
        case .float64: typedSums(Double.self, term, block, scratch)
        }
    }

    func perturbationSquares(_ block: Block, _ scratch: ThreadScratch) -> Double {
        switch optimizer.parameters[block.parameter].scalar {
        case .float32: typedSquares(Float.self, block, scratch)
        case .float64: typedSquares(Double.self, block, scratch)
        }
    }

    /// Updates a block; returns ‖δ‖² of it where that is measured.
    func updateBlock(_ block: Block, _ scratch: ThreadScratch) -> Double {
        switch optimizer.parameters[block.parameter].scalar {
        case .float32: typedUpdate(Float.self, block, scratch)
        case .float64: typedUpdate(Double.self, block, scratch)
        }
    }
}
