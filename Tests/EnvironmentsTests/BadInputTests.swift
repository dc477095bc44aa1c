import Environments
import PerturbedEquations
import Testing

@Suite struct BadInputTests {
    private func expect(
        _ code: EnvironmentError.Code, _ words: String..., from body: () throws -> Void
    ) {
        let error = #expect(throws: EnvironmentError.self) { try body() }
        #expect(error?.code == code, "\(error as Any)")
        for word in words { #expect(error?.message.contains(word) == true, "\(error as Any)") }
    }

    @Test(arguments: [-1, 2, 0.5, .nan, .infinity, -0.25] as [Float])
    func aDiscreteActionThatIsNoChoiceIsRefused(_ action: Float) throws {
        let vector = try VectorEnvironment(CartPole(), copies: 3, seed: 1)
        let before = Array(vector.observations)
        expect(.action, "'CartPole-v1'", "copy 1 is \(action)", "allowed: 0 or 1") {
            try vector.step([0, action, 1])
        }
        // Nothing has moved, and a good action goes on.
        #expect(Array(vector.observations) == before)
        try vector.step([0, 1, 1])
    }

    @Test(arguments: [2.0001, -3, .nan, .infinity] as [Float])
    func aContinuousActionOutsideIsRefused(_ action: Float) throws {
        let vector = try VectorEnvironment(Pendulum(), copies: 2, seed: 1)
        expect(.action, "the action of copy 1 is \(action)", "allowed: -2.0 to 2.0") {
            try vector.step([2, action])
        }
        try vector.step([2, -2])
        let walk = try VectorEnvironment(NoisyWalk(), copies: 2, seed: 1)
        expect(.action, "element 1 of the action of copy 0 is -1.0", "allowed: 0.0 to 3.0") {
            try walk.step([0, -1, 0, 0])
        }
    }

    @Test(arguments: [0, 1, 3, 5]) func aWrongNumberOfActionsIsRefused(_ count: Int) throws {
        let vector = try VectorEnvironment(NoisyWalk(), copies: 2, seed: 1)
        expect(.actionCount, "\(count) numbers for the actions of 2 copies; allowed: 4, 2 for each") {
            try vector.step([Float](repeating: 0, count: count))
        }
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity])
    func aNumberThatIsNotFiniteIsNamed(_ value: Double) throws {
        for (place, what) in [
            (Faulty.Place.observation, "element 1 of the observation"), (.reward, "the reward"),
        ] {
            let vector = try VectorEnvironment(Faulty(place: place, value: value), copies: 3, seed: 1)
            try vector.step([0, 0, 1])
            try vector.step([0, 1, 0])
            expect(.notFinite, "'Faulty': \(what) is \(value)", "copy 2, episode 0, step 3") {
                try vector.step([0, 0, 1])
            }
            expect(.needsReset, "reset it first") { try vector.step([0, 0, 0]) }
            try vector.reset()
            try vector.step([0, 0, 1])
        }
        expect(.notFinite, "copy 0, episode 0, step 0") {
            _ = try VectorEnvironment(Faulty(place: .start, value: value), copies: 1, seed: 1)
        }
    }

    @Test func theFirstFaultyCopyIsNamedOnAnyNumberOfThreads() throws {
        for threads in 1...4 {
            let vector = try VectorEnvironment(
                Faulty(place: .reward, value: .nan), copies: 8, seed: 1, parallel: .dispatch(threads: threads)
            )
            try vector.step([1, 1, 1, 0, 0, 1, 1, 1])
            expect(.notFinite, "copy 2, episode 0, step 2") { try vector.step([0, 0, 1, 1, 1, 1, 0, 1]) }
        }
    }

    @Test func spacesAndLimitsThatMakeNoSenseAreRefused() {
        func refused(_ environment: Spaces, _ words: String...) {
            let error = #expect(throws: EnvironmentError.self) {
                _ = try VectorEnvironment(environment, copies: 1, seed: 1)
            }
            #expect(error?.code == .space, "\(error as Any)")
            for word in words { #expect(error?.message.contains(word) == true, "\(error as Any)") }
        }
        refused(Spaces(actions: .discrete(0)), "action space has 0 choices", "1 to 16777216")
        refused(Spaces(actions: .discrete(1 << 24 + 1)), "16777217 choices")
        refused(Spaces(observations: BoxSpace(low: [], high: [])), "observation space has the shape [0]")
        refused(Spaces(observations: BoxSpace(shape: [], low: [], high: [])), "the shape []")
        refused(
            Spaces(observations: BoxSpace(shape: [2, 2], low: [0, 0, 0], high: [1, 1, 1, 1])),
            "[2, 2], 3 lower bounds and 4 upper bounds")
        refused(Spaces(observations: BoxSpace(shape: [.max, 2], low: [0], high: [1])), "a pair of bounds")
        refused(
            Spaces(actions: .continuous(BoxSpace(low: [0, 1], high: [0, 0]))), "1.0 to 0.0 at element 1")
        refused(Spaces(actions: .continuous(BoxSpace(low: [.nan], high: [0]))), "nan to 0.0")
        refused(Spaces(timeLimit: 0), "time limit is 0")
        for copies in [-1, 0, 1 << 20 + 1] {
            expect(.copies, "\(copies) copies; allowed: 1 to 1048576") {
                _ = try VectorEnvironment(Spaces(), copies: copies, seed: 1)
            }
        }
    }

    @Test func clippingBringsActionsIntoTheirBounds() throws {
        let space = ActionSpace.continuous(BoxSpace(low: [-1, 0], high: [1, 3]))
        var actions: [Float] = [-5, -5, 5, 5, 0.5, 0.5, -.infinity, .infinity]
        var span = actions.mutableSpan
        space.clip(&span)
        #expect(actions == [-1, 0, 1, 3, 0.5, 0.5, -1, 3])
        try VectorEnvironment(NoisyWalk(), copies: 4, seed: 1).step(actions)
    }

    @Test func settingsOutOfRangeAreRefusedByName() {
        func refused(_ environment: some Environment, _ words: String) {
            let error = #expect(throws: ConfigurationError.self) {
                _ = try VectorEnvironment(environment, copies: 1, seed: 1)
            }
            #expect(error?.description == words)
        }
        refused(NChain(length: 2), "NChain.length: is 2; allowed: 3 to 10000")
        refused(Pendulum(gravity: .nan), "Pendulum-v1.gravity: is nan; allowed: -1e6 to 1e6")
        refused(
            MountainCar(goalVelocity: .infinity),
            "MountainCar-v0.goalVelocity: is inf; allowed: a finite number")
    }
}
