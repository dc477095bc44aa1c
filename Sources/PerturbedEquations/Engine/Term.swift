extension PerturbedOptimizer {
    /// One term with its place in the noise's address and among what terms keep.
    struct Term {
        let perturbation: any Perturbation
        let number: Int
        /// Whether it stores into an undefined δ when it comes first.
        let storesFirst: Bool
        /// The composites it is part of.
        let choices: [LeafTerm.Choice]
        /// Its place among its group's terms that keep numbers, and among those that keep tensors.
        let memorySlot: Int?
        let tensorSlot: Int?
        /// What δ of this step has of it.
        private(set) var weight = 1.0
        /// What it needs in this step.
        private(set) var needs: Requirements = []
        /// Whether it needs no more than statistics and its own sums of the first round, as almost all do.
        private(set) var isPlain = true

        static func list(of perturbation: [any Perturbation]) -> [Term] {
            var memories = 0
            var tensors = 0
            func next(_ count: inout Int, if keeps: Bool) -> Int? {
                guard keeps else { return nil }
                defer { count += 1 }
                return count
            }
            return LeafTerm.all(of: perturbation).enumerated().map { number, leaf in
                let term = leaf.perturbation
                return Term(
                    perturbation: term, number: number, storesFirst: term is any KernelPerturbation,
                    choices: leaf.choices,
                    memorySlot: next(&memories, if: term.initialMemory != nil),
                    tensorSlot: next(&tensors, if: !term.storedNames.isEmpty))
            }
        }

        private init(
            perturbation: any Perturbation, number: Int, storesFirst: Bool, choices: [LeafTerm.Choice],
            memorySlot: Int?, tensorSlot: Int?
        ) {
            self.perturbation = perturbation
            self.number = number
            self.storesFirst = storesFirst
            self.choices = choices
            self.memorySlot = memorySlot
            self.tensorSlot = tensorSlot
        }

        /// The term as it takes part in a step; nil where its δ is zero.
        func active(at step: Int, _ key: NoiseKey, needsVariance: Bool) -> Term? {
            guard !perturbation.isZero(at: step) else { return nil }
            let weight = choices.isEmpty ? 1 : LeafTerm.weight(choices, at: step, key)
            guard weight != 0 else { return nil }
            var active = self
            active.weight = weight
            active.needs = perturbation.requirements(at: step)
                .withSums(ifVarianceIsNeeded: needsVariance)
            active.isPlain =
                memorySlot == nil && tensorSlot == nil
                && active.needs.isSubset(of: [.tensorGradient, .overallGradient, .tensorParameters, .sums])
            return active
        }
    }
}

extension PerturbedOptimizer.ResolvedGroup {
    /// The terms that are not zero at a step.
    func activeTerms(at step: Int, _ key: NoiseKey, hasLimit: Bool) -> [PerturbedOptimizer.Term] {
        let needsVariance = hasLimit || needs.contains(.noiseVariance)
        return terms.compactMap { $0.active(at: step, key, needsVariance: needsVariance) }
    }
}

/// Where what terms keep is: one row per parameter, as wide as the group with the most terms that keep any.
struct TermLayout {
    let memoryWidth: Int
    let tensorWidth: Int

    init(_ groups: [PerturbedOptimizer.ResolvedGroup]) {
        func width(_ slot: (PerturbedOptimizer.Term) -> Int?) -> Int {
            groups.map { $0.terms.count { slot($0) != nil } }.max() ?? 0
        }
        memoryWidth = width(\.memorySlot)
        tensorWidth = width(\.tensorSlot)
    }

    /// The numbers of every term and parameter before the first step; empty where no term keeps any.
    func initialMemory(
        _ groups: [PerturbedOptimizer.ResolvedGroup], _ groupOf: [Int]
    ) -> [SIMD4<Double>] {
        guard memoryWidth > 0 else { return [] }
        return groupOf.flatMap { group in
            let own = groups[group].terms.compactMap(\.perturbation.initialMemory)
            return own + [SIMD4<Double>](repeating: .zero, count: memoryWidth - own.count)
        }
    }

    /// Room for the tensors of every term and parameter; empty where no term keeps any.
    func tensors(
        _ groups: [PerturbedOptimizer.ResolvedGroup], _ groupOf: [Int], _ parameters: [ParameterSpec]
    ) -> [StateMemory?] {
        guard tensorWidth > 0 else { return [] }
        return zip(groupOf, parameters).flatMap { group, spec in
            var row = [StateMemory?](repeating: nil, count: tensorWidth)
            for term in groups[group].terms {
                guard let slot = term.tensorSlot else { continue }
                row[slot] = StateMemory(
                    tensors: term.perturbation.storedNames.count,
                    bytes: spec.count * spec.scalar.arithmetic.size)
            }
            return row
        }
    }
}
