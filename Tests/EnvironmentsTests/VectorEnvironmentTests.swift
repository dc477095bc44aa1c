import Environments
import Foundation
import PerturbedEquations
import TestSupport
import Testing

@Suite struct VectorEnvironmentTests {
    /// All that a vector shows after a step.
    private struct Shown: Equatable {
        var observations: [Float]
        var finalObservations: [Float]
        var rewards: [Double]
        var ends: [[Bool]]

        init(_ vector: VectorEnvironment, copies: Range<Int>) {
            let size = vector.observationSpace.count
            let rows = copies.lowerBound * size..<copies.upperBound * size
            observations = Array(vector.observations[rows])
            finalObservations = copies.flatMap { copy in
                vector.terminated[copy] || vector.truncated[copy]
                    ? Array(vector.finalObservations[copy * size..<(copy + 1) * size]) : []
            }
            rewards = Array(vector.rewards[copies])
            ends = [Array(vector.terminated[copies]), Array(vector.truncated[copies])]
        }
    }

    /// Each environment of the catalogue, and one with noise in its steps.
    private static let all: [any Environment] =
        EnvironmentCatalogue.all.compactMap {
            try? NamedEnvironment(named: $0.catalogueEntry.name).environment
        }
        + [NoisyWalk()]

    @Test func copiesAreWhatTheProtocolSaysOneByOne() throws {
        #expect(Self.all.count == EnvironmentCatalogue.all.count + 1)
        func check(_ environment: some Environment) throws {
            let copies = 3
            let vector = try VectorEnvironment(environment, copies: copies, seed: 9)
            var generator = SeededGenerator()
            let name = vector.name
            let size = vector.observationSpace.count
            let actionSize = vector.actionSpace.count
            // By hand: states, keys, episodes and steps of each copy.
            let root = NoiseKey(seed: 9).derived("environments")
            var episodes = [Int](repeating: 0, count: copies)
            var steps = [Int](repeating: 0, count: copies)
            var totals = [Double](repeating: 0, count: copies)
            func noise(_ copy: Int) -> EpisodeNoise {
                EpisodeNoise(
                    key: root.derived(UInt64(copy)).derived(UInt64(episodes[copy])), step: steps[copy])
            }
            var states = (0..<copies).map { environment.initialState(noise($0)) }
            func observation(_ copy: Int) -> [Float] {
                var row = [Float](repeating: .nan, count: size)
                var span = row.mutableSpan
                environment.observe(states[copy], into: &span)
                return row
            }
            #expect(Array(vector.observations) == (0..<copies).flatMap(observation), "\(name)")
            var ends = 0
            for step in 0..<1200 {
                let actions = randomActions(of: vector.actionSpace, copies: copies, using: &generator)
                try vector.step(actions)
                for copy in 0..<copies {
                    let action = Array(actions[copy * actionSize..<(copy + 1) * actionSize])
                    steps[copy] += 1
                    let transition = environment.step(&states[copy], action: action.span, noise: noise(copy))
                    totals[copy] += transition.reward
                    let isTruncated =
                        transition.truncated || environment.timeLimit.map { steps[copy] == $0 } ?? false
                    let words: Comment = "\(name), step \(step), copy \(copy), seed \(generator.seed)"
                    try #require(vector.rewards[copy] == transition.reward, words)
                    try #require(vector.terminated[copy] == transition.terminated, words)
                    try #require(vector.truncated[copy] == isTruncated, words)
                    let rows = copy * size..<(copy + 1) * size
                    if transition.terminated || isTruncated {
                        ends += 1
                        try #require(Array(vector.finalObservations[rows]) == observation(copy), words)
                        try #require(vector.episodeReturns[copy] == totals[copy], words)
                        try #require(vector.episodeLengths[copy] == steps[copy], words)
                        (episodes[copy], steps[copy], totals[copy]) = (episodes[copy] + 1, 0, 0)
                        states[copy] = environment.initialState(noise(copy))
                    }
                    try #require(Array(vector.observations[rows]) == observation(copy), words)
                    #expect(vector.progress(of: copy).episode == episodes[copy], words)
                    #expect(vector.progress(of: copy).steps == steps[copy], words)
                }
            }
            #expect(ends >= copies, "\(name): only \(ends) episodes ended")
        }
        for environment in Self.all { try check(environment) }
    }

    @Test func aCopyDependsNeitherOnItsNeighboursNorOnThreads() throws {
        func check(_ environment: some Environment) throws {
            let many = try VectorEnvironment(environment, copies: 7, seed: 3)
            let few = try VectorEnvironment(environment, copies: 2, seed: 3)
            let threaded = try VectorEnvironment(
                environment, copies: 7, seed: 3, parallel: .dispatch(threads: 3))
            let other = try VectorEnvironment(environment, copies: 7, seed: 4)
            var generator = SeededGenerator()
            var differs = false
            for _ in 0..<400 {
                let actions = randomActions(of: many.actionSpace, copies: 7, using: &generator)
                try many.step(actions)
                try few.step(Array(actions.prefix(2 * many.actionSpace.count)))
                try threaded.step(actions)
                try other.step(actions)
                let shown = Shown(many, copies: 0..<7)
                try #require(
                    Shown(few, copies: 0..<2) == Shown(many, copies: 0..<2), "seed \(generator.seed)")
                try #require(Shown(threaded, copies: 0..<7) == shown, "seed \(generator.seed)")
                differs = differs || Shown(other, copies: 0..<7) != shown
            }
            // The chain has no randomness at all.
            #expect(differs != (many.name == "NChain"), "\(many.name): the seed does nothing")
        }
        for environment in Self.all { try check(environment) }
    }

    @Test func aResetBeginsAgain() throws {
        let vector = try VectorEnvironment(NoisyWalk(), copies: 4, seed: 1)
        let first = Array(vector.observations)
        var seen: [[Float]] = []
        for round in 0..<2 {
            var generator = SeededGenerator(seed: 5)
            for step in 0..<30 {
                try vector.step(randomActions(of: vector.actionSpace, copies: 4, using: &generator))
                if round == 0 { seen.append(Array(vector.observations)) }
                #expect(Array(vector.observations) == seen[step])
            }
            try vector.reset()
            #expect(Array(vector.observations) == first)
        }
    }

    @Test func aSnapshotGoesOnAsIfNothingHadHappened() throws {
        func check(_ environment: some Environment) throws {
            let whole = try VectorEnvironment(environment, copies: 3, seed: 8)
            let resumed = try VectorEnvironment(environment, copies: 3, seed: 8)
            var generator = SeededGenerator()
            for step in 0..<600 {
                if step == 123 {
                    try resumed.restore(whole.snapshot())
                    #expect(Array(resumed.observations) == Array(whole.observations), "\(whole.name)")
                }
                let actions = randomActions(of: whole.actionSpace, copies: 3, using: &generator)
                try whole.step(actions)
                guard step >= 123 else { continue }
                try resumed.step(actions)
                try #require(
                    Shown(resumed, copies: 0..<3) == Shown(whole, copies: 0..<3),
                    "\(whole.name), step \(step), seed \(generator.seed)")
                for copy in 0..<3 {
                    try #require(resumed.progress(of: copy) == whole.progress(of: copy))
                }
            }
        }
        for environment in Self.all { try check(environment) }
    }

    @Test func aSnapshotOfSomethingElseIsRefused() throws {
        let vector = try VectorEnvironment(NChain(length: 5), copies: 2, seed: 1)
        try vector.step([1, 1])
        let before = Array(vector.observations)
        func refused(_ data: Data, _ words: String) {
            let error = #expect(throws: EnvironmentError.self) { try vector.restore(data) }
            #expect(error?.code == .snapshot && error?.message.contains(words) == true, "\(error as Any)")
            #expect(Array(vector.observations) == before)
        }
        refused(try VectorEnvironment(CartPole(), copies: 2, seed: 1).snapshot(), "it is of 'CartPole-v1'")
        refused(try VectorEnvironment(NChain(length: 6), copies: 2, seed: 1).snapshot(), #"{"length":6}"#)
        refused(try VectorEnvironment(NChain(length: 5), copies: 3, seed: 1).snapshot(), "3 copies, not 2")
        refused(try VectorEnvironment(NChain(length: 5), copies: 2, seed: 2).snapshot(), "seed 2, not 1")
        refused(Data("{".utf8), "damaged")
        let good = String(decoding: try vector.snapshot(), as: UTF8.self)
        refused(Data(good.replacing("\"steps\":1", with: "\"steps\":-1").utf8), "negative")
    }
}
