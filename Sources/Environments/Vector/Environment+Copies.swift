import PerturbedEquations

extension Environment {
    @inlinable
    public func stepCopies(
        _ range: Range<Int>, states: UnsafeMutablePointer<State>, memory: CopyMemory
    ) -> CopyFault? {
        for copy in range {
            memory.progress[copy].advance()
            let action = UnsafeBufferPointer(
                start: memory.actions + copy * memory.actionSize, count: memory.actionSize)
            let transition = step(
                &states[copy], action: action.span, noise: memory.progress[copy].noise)
            let steps = memory.progress[copy].steps
            let truncated = transition.truncated || steps >= memory.timeLimit
            memory.rewards[copy] = transition.reward
            memory.terminated[copy] = transition.terminated
            memory.truncated[copy] = truncated
            guard transition.reward.isFinite else {
                return CopyFault(copy: copy, element: nil, value: transition.reward)
            }
            memory.progress[copy].add(transition.reward)
            if let fault = observeCopy(copy, states, memory.observations, memory) { return fault }
            guard transition.terminated || truncated else { continue }
            let place = copy * memory.observationSize
            (memory.finalObservations + place)
                .update(from: memory.observations + place, count: memory.observationSize)
            memory.episodeReturns[copy] = memory.progress[copy].total
            memory.episodeLengths[copy] = steps
            let last = memory.progress[copy]
            memory.progress[copy] = CopyProgress(copyKey: last.copyKey, episode: last.episode + 1)
            states[copy] = initialState(memory.progress[copy].noise)
            if let fault = observeCopy(copy, states, memory.observations, memory) { return fault }
        }
        return nil
    }

    /// Writes the observation of one copy.
    @inlinable
    func observeCopy(
        _ copy: Int, _ states: UnsafeMutablePointer<State>, _ observations: UnsafeMutablePointer<Float>,
        _ memory: CopyMemory
    ) -> CopyFault? {
        let place = UnsafeMutableBufferPointer(
            start: observations + copy * memory.observationSize, count: memory.observationSize)
        var observation = place.mutableSpan
        observe(states[copy], into: &observation)
        for element in place.indices where !place[element].isFinite {
            return CopyFault(copy: copy, element: element, value: Double(place[element]))
        }
        return nil
    }
}
