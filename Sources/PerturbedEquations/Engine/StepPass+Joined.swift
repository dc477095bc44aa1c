/// Neighbouring blocks that one call of a rule's kernel updates, where nothing is kept by block: what a block costs besides its
/// arithmetic is then paid once for all of them. The bits are the same.
extension StepPass {
    /// How many blocks at most: beyond it the cost is nothing, and walking back from pass to pass meets less in the cache.
    private static let mostJoined = 16

    /// Whether the step lets blocks be joined: θ and g as they lie in memory, and nothing wanted of each block.
    var joinsBlocks: Bool {
        guard case .evaluated = place else { return false }
        return !measure && valueLimit == nil && unitClip.isEmpty && trustScale.isEmpty && curvature == nil
            && !clip.contains { $0 != 1 }
    }

    /// Per group, whether blocks can be joined where the step lets them: its rule is a kernel, which takes any number of
    /// elements (a rule of the user's own is promised a block), and makes δ itself, or there is none.
    var joinedGroups: [Bool] {
        rules.indices.map { group in
            rules[group] is any KernelRule && (drawn[group] != nil || terms[group].isEmpty)
                && optimizer.groups[group].needs.isDisjoint(with: [.noise, .sums])
        }
    }

    /// The same of a parameter.
    private func isJoined(_ parameter: Int, _ groups: [Bool]) -> Bool {
        groups[optimizer.groupOf[parameter]] && optimizer.parameters[parameter].scalar == .float32
            && buffers[parameter].gradientScalar ?? .float32 == .float32
    }

    /// The block that is met in a turn of a walk over a range, with those of the turns after it that join it.
    func joinedBlock(
        _ range: Range<Int>, turn: Int, _ backwards: Bool, _ groups: [Bool]
    ) -> (block: Block, turns: Int) {
        let blocks = optimizer.blocks
        let first = blocks[Self.walk(range, turn, backwards)]
        var (start, count, turns) = (first.start, first.count, 1)
        while turns < Self.mostJoined, turn + turns < range.upperBound {
            let next = blocks[Self.walk(range, turn + turns, backwards)]
            // Most tensors of most models are one block: only the others are looked at.
            guard next.parameter == first.parameter, turns > 1 || isJoined(first.parameter, groups) else {
                break
            }
            start = min(start, next.start)
            count += next.count
            turns += 1
        }
        return (Block(index: first.index, parameter: first.parameter, start: start, count: count), turns)
    }
}
