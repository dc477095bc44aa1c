import CPerturbationKernels

/// The adaptive clip: norms of the units of g and θ, and what follows from them.
extension StepPass {
    /// Gathers ‖g‖ and ‖θ‖ of each unit; sets the factors, and the statistics of g after them.
    mutating func clipUnits(_ setting: AdaptiveClip) {
        let blocks = optimizer.blocks
        let units = optimizer.parameters.map { setting.units(of: $0) }
        /// Where each block's partial sums begin: one for each unit that it overlaps.
        var places = [0]
        for block in blocks {
            places.append(places.last! + overlap(block, units[block.parameter]).count)
        }
        var ofGradient = [pk_moments](repeating: pk_moments(), count: places.last!)
        var ofParameters = [Double](repeating: 0, count: places.last!)
        ofGradient.withUnsafeMutableBufferPointer { ofGradient in
            ofParameters.withUnsafeMutableBufferPointer { ofParameters in
                nonisolated(unsafe) let ofGradient = ofGradient
                nonisolated(unsafe) let ofParameters = ofParameters
                _ = perThread { range, scratch in
                    for index in range {
                        let block = blocks[index]
                        guard units[block.parameter] > 0, var g = gradientMemory(block, scratch) else {
                            continue
                        }
                        let scalar = optimizer.parameters[block.parameter].scalar.arithmetic
                        let kernels = kernels(scalar)
                        let size = scalar.size
                        let theta = UnsafeRawPointer(parameterMemory(block, scratch))
                        if let valueLimit {
                            kernels.pointee.clamp(scratch.gradient, g, block.count, valueLimit)
                            g = UnsafeRawPointer(scratch.gradient)
                        }
                        for (place, unit) in overlap(block, units[block.parameter]).enumerated() {
                            let part = self.part(unit, units[block.parameter], of: block)
                            let offset = part.lowerBound * size
                            ofGradient[places[index] + place] = kernels.pointee.moments(
                                g + offset, part.count)
                            ofParameters[places[index] + place] = kernels.pointee.dot(
                                theta + offset, theta + offset, part.count)
                        }
                    }
                    return 0
                }
            }
        }
        var statistics = units.map { [TensorStatistics](repeating: TensorStatistics(), count: $0) }
        var weights = units.map { [Double](repeating: 0, count: $0) }
        for (index, block) in blocks.enumerated() {
            for (place, unit) in overlap(block, units[block.parameter]).enumerated() {
                let m = ofGradient[places[index] + place]
                statistics[block.parameter][unit].add(
                    TensorStatistics(sumOfSquares: m.sum_squares, sumOfSizes: m.sum_absolute))
                weights[block.parameter][unit] += ofParameters[places[index] + place]
            }
        }
        apply(setting, statistics, weights)
    }

    /// Turns the norms of the units into factors.
    private mutating func apply(
        _ setting: AdaptiveClip, _ statistics: [[TensorStatistics]], _ weights: [[Double]]
    ) {
        let ratio = setting.ratio.value(at: step)
        var binds = false
        unitClip = statistics.indices.map { tensor in
            var factors = [Double](repeating: 1, count: statistics[tensor].count)
            var after = TensorStatistics(count: gradient[tensor].count)
            for (unit, sums) in statistics[tensor].enumerated() {
                let own = sums.scaled(by: clip[tensor])
                let limit = ratio * max(weights[tensor][unit].squareRoot(), setting.floor)
                if own.norm > limit { factors[unit] = limit / own.norm }
                after.add(own.scaled(by: factors[unit]))
            }
            guard factors.contains(where: { $0 != 1 }) else { return [] }
            gradient[tensor] = after
            binds = true
            return factors
        }
        guard binds else {
            unitClip = []
            return
        }
        overall = gradient.reduce(into: TensorStatistics()) { $0.add($1) }
        optimizer.counts.adaptivelyClipped += 1
    }

    /// The units of a tensor that a block overlaps.
    private func overlap(_ block: Block, _ units: Int) -> Range<Int> {
        guard units > 0 else { return 0..<0 }
        let length = optimizer.parameters[block.parameter].count / units
        return block.start / length..<(block.start + block.count - 1) / length + 1
    }

    /// The elements of a block that belong to a unit, counted from the block's start.
    private func part(_ unit: Int, _ units: Int, of block: Block) -> Range<Int> {
        let length = optimizer.parameters[block.parameter].count / units
        let start = max(unit * length - block.start, 0)
        return start..<min((unit + 1) * length - block.start, block.count)
    }

    /// The unit factors of a block's runs of elements; nothing where the adaptive clip leaves the tensor alone.
    func forEachClippedPart(of block: Block, _ body: (Range<Int>, Double) -> Void) {
        let factors = unitClip[block.parameter]
        for unit in overlap(block, factors.count) where factors[unit] != 1 {
            body(part(unit, factors.count, of: block), factors[unit])
        }
    }
}
