import CPerturbationKernels

/// What keeps δ finite and bounded, before any state is touched.
///
/// That g + δ is finite costs nothing where it can be known beforehand: each term bounds |δᵢ| by a + b·|gᵢ|, from
/// which follows the largest gradient that is safe, and the finite check compares with that instead of with
/// infinity. Only where a gradient is larger, or a term has no bound, δ is computed once more to look at it.
extension StepPass {
    /// The bound on the terms of each group together; nil where a term has none.
    private func groupBounds() -> [ElementBound?] {
        let most = largest.max() ?? 0
        let count = optimizer.largestCount
        let worst = TensorStatistics(
            count: count, sumOfSquares: most * most * Double(count), sumOfSizes: most * Double(count))
        return terms.enumerated().map { group, own in
            guard let block = optimizer.firstBlocks[group] else { return .zero }
            var total: ElementBound? = .zero
            for (place, term) in own.enumerated() {
                var site = site(term, place, block)
                site.gradient = worst
                site.overallGradient = worst
                guard let sum = total, let bound = term.perturbation.bound(at: site) else { return nil }
                total = sum + bound.scaled(by: term.weight)
            }
            return total
        }
    }

    /// Whether every gradient is finite, where no norm is needed: nil if one is not, else the tensors in which
    /// g + δ may not be, and whether some element is beyond the limit on values.
    func finiteGradients() -> (suspects: [Int], exceedsValueLimit: Bool)? {
        let bounds = groupBounds()
        let limits = optimizer.parameters.indices.map { index in
            bounds[optimizer.groupOf[index]]?.largestGradient(for: optimizer.parameters[index].scalar) ?? -1
        }
        let isKnown = optimizer.parameters.indices.map { index in
            guard place == .evaluated, let size = buffers[index].largestGradient else { return false }
            return size <= limits[index]
        }
        let limit = valueLimit ?? .infinity
        let knownExceeds = buffers.indices.contains {
            isKnown[$0] && buffers[$0].largestGradient! > limit
        }
        if !isKnown.contains(false) { return ([], knownExceeds) }
        var sizes = [Double](repeating: -.infinity, count: optimizer.blocks.count)
        let found = sizes.withUnsafeMutableBufferPointer { sizes in
            nonisolated(unsafe) let sizes = sizes
            return perThread { range, scratch in
                for index in range {
                    let block = optimizer.blocks[index]
                    guard !isKnown[block.parameter], let g = gradientMemory(block, scratch) else { continue }
                    let kernels = kernels(optimizer.parameters[block.parameter].scalar)
                    sizes[index] = kernels.pointee.largest(g, block.count)
                    if !sizes[index].isFinite { return 1.0 }
                }
                return 0
            }
        }
        guard found.allSatisfy({ $0 == 0 }) else { return nil }
        let exceeds = knownExceeds || sizes.contains { $0 > limit }
        guard hasNoise else { return ([], exceeds) }
        var tensors: [Int] = []
        for (block, size) in zip(optimizer.blocks, sizes)
        where !(size <= limits[block.parameter]) && tensors.last != block.parameter {
            tensors.append(block.parameter)
        }
        return (tensors, exceeds)
    }

    /// Whether some element of g is larger than `limit`, where no other pass shows it.
    func someGradientExceeds(_ limit: Double) -> Bool {
        perThread { range, scratch in
            for index in range {
                let block = optimizer.blocks[index]
                guard let g = gradientMemory(block, scratch) else { continue }
                let kernels = kernels(optimizer.parameters[block.parameter].scalar)
                if kernels.pointee.largest(g, block.count) > limit { return 1 }
            }
            return 0
        }.contains { $0 != 0 }
    }

    /// The tensors in which g + δ may not be finite, by the terms' own bounds. Norms are gathered.
    func tensorsThatMayOverflow() -> [Int] {
        guard hasNoise else { return [] }
        let bounds = groupBounds()
        return tensors { bounds[optimizer.groupOf[$0]] }
    }

    /// The tensors in which g + δ may not be finite, by a bound for each.
    func tensors(beyond bound: (Int) -> ElementBound?) -> [Int] {
        optimizer.parameters.indices.filter { index in
            let limit = bound(index)?.largestGradient(for: optimizer.parameters[index].scalar) ?? -1
            return hasGradient(index) && !(largest[index] <= limit)
        }
    }

    /// Whether δ and g + δ are finite in these tensors: computes them, and throws them away.
    func sumsAreFinite(_ tensors: [Int]) -> Bool {
        let suspected = Set(tensors)
        let found = perThread { range, scratch in
            for index in range where suspected.contains(optimizer.blocks[index].parameter) {
                if !sumIsFinite(optimizer.blocks[index], scratch) { return 1 }
            }
            return 0
        }
        return found.allSatisfy { $0 == 0 }
    }

    func typedSumIsFinite<S: BlockScalar>(_: S.Type, _ block: Block, _ scratch: ThreadScratch) -> Bool {
        let memory = memory(S.self, block, scratch)
        guard memory.gradient.baseAddress != nil,
            let delta = delta(block, scratch, memory.parameters, memory.gradient, prefetch: nil)
        else { return true }
        let kernels = S.kernels(optimizer.engine.level)
        guard kernels.pointee.nonfinite(delta.baseAddress, block.count) == 0 else { return false }
        let scale = S(deltaScale(block.parameter))
        if scale == 1 {
            kernels.pointee.add_scaled(delta.baseAddress, memory.gradient.baseAddress, block.count, 1)
        } else {
            for i in delta.indices { delta[i] = memory.gradient[i].addingProduct(scale, delta[i]) }
        }
        return kernels.pointee.nonfinite(delta.baseAddress, block.count) == 0
    }

    /// The factors that keep ‖δ‖² ≤ κ‖g‖² for each tensor and then ‖δ‖ ≤ ρ‖g‖ over all.
    ///
    /// - Returns: ‖δ‖ after them, which is not finite where δ is not.
    mutating func applyBounds(ratio: Double?, variance: Double?, _ report: inout StepReport) -> Double {
        let blocks = optimizer.blocks
        var squares = [Double](repeating: 0, count: blocks.count)
        squares.withUnsafeMutableBufferPointer { squares in
            nonisolated(unsafe) let squares = squares
            _ = perThread { range, scratch in
                for index in range where hasGradient(blocks[index].parameter) {
                    squares[index] = perturbationSquares(blocks[index], scratch)
                }
                return 0
            }
        }
        var total = squares.reduce(0, +)
        guard total.isFinite else { return total }
        if let variance {
            var sums = [Double](repeating: 0, count: optimizer.parameters.count)
            for (block, square) in zip(blocks, squares) { sums[block.parameter] += square }
            varianceScale = sums.indices.map { index in
                let limit = variance * gradient[index].sumOfSquares
                return sums[index] > limit ? (limit / sums[index]).squareRoot() : 1
            }
            report.varianceScale = varianceScale.min() ?? 1
            if report.varianceScale < 1 {
                optimizer.counts.varianceBounded += 1
                total = zip(sums, varianceScale).reduce(0) { $0 + $1.0 * $1.1 * $1.1 }
            } else {
                varianceScale = []
            }
        }
        let norm = total.squareRoot()
        guard let ratio else { return norm }
        let limit = ratio * overall.norm
        if norm > limit {
            boundScale = limit / norm
            report.boundScale = boundScale
            optimizer.counts.bounded += 1
        }
        return norm * boundScale
    }
}
