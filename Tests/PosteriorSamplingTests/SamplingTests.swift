import Foundation
import PerturbedEquations
import PosteriorSampling
import Safetensors
import Statistics
import Synchronization
import TestSupport
import Testing

/// Chains on potentials: what they sample, their bits, their files.
@Suite struct SamplingTests {
    /// U = ½θᵀPθ with P = [[2, −0.9], [−0.9, 1]].
    static func correlated<S: EquationScalar>(_: S.Type) throws -> Potential<S> {
        try Potential(dimension: 2) { theta, gradient in
            let (x, y) = (theta[0], theta[1])
            gradient[0] = 2 * x - S(0.9) * y
            gradient[1] = y - S(0.9) * x
            return Double(x * x - S(0.9) * x * y + y * y / 2)
        }
    }

    @Test func meanAndCovariance() throws {
        try check(Double.self)
        try check(Float.self)
    }

    private func check<S: EquationScalar>(_: S.Type) throws {
        var sampler = PosteriorSampler(
            try Self.correlated(S.self), rule: SGHMC(learningRate: 0.01, friction: 0.1),
            schedule: SamplingSchedule(steps: 60_000, burnIn: 2000, thin: 20))
        sampler.seed = 7
        sampler.functions += [
            ChainFunction("xx") { Double($0[0] * $0[0]) }, ChainFunction("xy") { Double($0[0] * $0[1]) },
            ChainFunction("yy") { Double($0[1] * $0[1]) },
        ]
        let samples = try sampler.sample()
        #expect(samples.chains == 4 && samples.draws == 2900)
        let determinant = 2 - 0.81
        for (name, exact) in [
            ("theta[0]", 0), ("theta[1]", 0), ("xx", 1 / determinant), ("xy", 0.9 / determinant),
            ("yy", 2 / determinant), ("energy", 1.0),
        ] {
            let found = ChainDiagnostics(try samples.function(name))
            #expect(
                abs(found.mean - exact) < 5 * found.meanError + 0.015 * abs(exact),
                "\(name): \(found.mean) ± \(found.meanError), exact \(exact)")
            #expect(found.meanError < 0.06 && found.warning == nil, "\(name): \(found)")
        }
    }

    /// The estimate of a batch, N/n of its losses beside the whole prior: its mean over an epoch is the whole gradient, and one
    /// step without noise is η times it.
    @Test func aBatchStandsForAllExamples() throws {
        let (examples, size, rate) = (12, 3, 1e-3)
        let targets = (0..<examples).map { Double($0) - 4 }
        let seen = Mutex([[Int]]())
        let prior = GaussianPrior(deviation: 0.5)
        let potential = try Potential<Double>(
            dimension: 1, examples: examples, batchSize: size, prior: prior
        ) { theta, batch, gradient in
            var (sum, members) = (0.0, [Int]())
            for i in 0..<batch.count {
                members.append(batch[i])
                let error = theta[0] - targets[batch[i]]
                sum += 0.5 * error * error
                gradient[0] += error
            }
            seen.withLock { $0.append(members) }
            return sum
        }
        var sampler = PosteriorSampler(
            potential, rule: SGLD(learningRate: Scheduled(rate), temperature: 0),
            schedule: SamplingSchedule(steps: 8, burnIn: 0))
        sampler.chains = 1
        sampler.start = .at([[2]])
        let samples = try sampler.sample()
        let path = [2.0] + (try samples.function("theta[0]").draws[0])
        let energies = try samples.function("energy").draws[0]
        let batches = seen.withLock { $0 }
        #expect(batches.count == 8)
        for epoch in 0..<2 {
            #expect(batches[(epoch * 4)..<(epoch * 4 + 4)].flatMap(\.self).sorted() == Array(0..<examples))
        }
        #expect(batches[..<4] != batches[4...], "every epoch has its own order")
        for step in 0..<8 {
            let theta = path[step]
            let scale = Double(examples) / Double(size)
            let losses = batches[step].reduce(0.0) {
                $0 + 0.5 * (theta - targets[$1]) * (theta - targets[$1])
            }
            let slope = batches[step].reduce(0.0) { $0 + theta - targets[$1] }
            let moved = theta - rate * (scale * slope + theta / 0.25)
            #expect(abs(path[step + 1] - moved) < 1e-12, "step \(step)")
            #expect(abs(energies[step] - scale * losses - prior.energy(theta)) < 1e-9, "step \(step)")
        }
    }

    private static func many() throws -> PosteriorSampler<Float> {
        var sampler = PosteriorSampler(
            try correlated(Float.self), rule: SGLD(learningRate: 0.02),
            schedule: SamplingSchedule(steps: 3000, burnIn: 500, thin: 3, cycle: SamplingCycle(length: 300)))
        sampler.chains = 64
        sampler.seed = 11
        return sampler
    }

    private static func files(_ directory: URL) throws -> [String: Data] {
        var files: [String: Data] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: directory.path) {
            files[name] = try Data(contentsOf: directory.appendingPathComponent(name))
        }
        return files
    }

    /// 64 chains: the same files for any number of threads, and however often they were interrupted.
    @Test func filesDependOnNothingButTheSettings() throws {
        let directory = try TemporaryDirectory()
        var sampler = try Self.many()
        sampler.threads = 1
        let samples = try #require(try sampler.sample(to: directory.file("one")))
        let one = try Self.files(directory.file("one"))
        #expect(samples.chains == 64 && samples.draws == sampler.schedule.draws)
        #expect(one.keys.count(where: { $0.hasPrefix("part-") }) >= 12)
        for threads in [2, 7] {
            sampler.threads = threads
            _ = try sampler.sample(to: directory.file("\(threads)"))
            #expect(try Self.files(directory.file("\(threads)")) == one, "\(threads) threads")
        }
        var (calls, asked) = (0, 0)
        while true {
            let before = asked
            _ = try sampler.sample(to: directory.file("again")) {
                asked += 1
                return asked % 2 == 1
            }
            if asked == before { break }
            calls += 1
        }
        #expect(calls > 2, "it was interrupted")
        #expect(try Self.files(directory.file("again")) == one)
        // Chains differ, and so do seeds.
        let ends = try samples.function("theta[0]").draws.map { $0.last! }
        #expect(Set(ends).count == 64)
        sampler.seed = 12
        #expect(try sampler.sample().function("theta[0]").draws[0] != samples.function("theta[0]").draws[0])
    }

    /// What is in a directory is the answer to the settings that it was made with, and to no others.
    @Test func aDirectoryBelongsToItsSettings() throws {
        let directory = try TemporaryDirectory()
        let place = directory.file("s")
        let sampler = try Self.many()
        let samples = try #require(try sampler.sample(to: place))
        let files = try Self.files(place)
        let others: [(setting: String, change: (inout PosteriorSampler<Float>) -> Void)] = [
            ("seed", { $0.seed += 1 }),
            ("equation", { $0.equation.rule = SGLD(learningRate: 0.011) }),
            ("schedule", { $0.schedule.steps += 100 }),
            ("start", { $0.start = .normal(mean: 1) }),
            ("functions", { $0.functions.removeLast() }),
        ]
        for (setting, change) in others {
            var other = sampler
            change(&other)
            let error = #expect(throws: SamplingStateError.self) { try other.sample(to: place) }
            #expect(
                error?.message.contains("belongs to other settings: \(setting) was") == true,
                "\(setting): \(error as Any)")
        }
        #expect(throws: SamplingStateError.self) {
            var other = sampler
            other.chains = 3
            _ = try other.sample(to: place)
        }
        // Draws without a state are another program's.
        try FileManager.default.removeItem(at: place.appendingPathComponent("state.safetensors"))
        #expect(throws: SamplingStateError.self) { try sampler.sample(to: place) }
        #expect(try Samples(contentsOf: place).draws == samples.draws)
        #expect(try Self.files(place).count == files.count - 1)
    }

    @Test func drawsCanBeReadOneByOne() throws {
        let directory = try TemporaryDirectory()
        var sampler = try Self.many()
        sampler.chains = 3
        _ = try sampler.sample(to: directory.file("s"))
        let samples = try Samples(contentsOf: directory.file("s"))
        #expect(samples.parameters == [ParameterSpec("theta", shape: [2])])
        #expect(samples.functions == ["energy", "theta[0]", "theta[1]"])
        let elements = try samples.elements([0, 1], of: "theta")
        for (chain, draw) in [(0, 0), (2, 7), (1, samples.draws - 1), (2, samples.draws / 2)] {
            let theta = try samples.draw(draw, of: chain).tensor("theta").floats()
            for element in 0..<2 {
                let noted = try samples.function("theta[\(element)]").draws[chain][draw]
                #expect(Double(theta[element]) == noted && elements[element].draws[chain][draw] == noted)
            }
        }
    }

    /// η beyond 2/h: each step overshoots further.
    @Test func aStepSizeThatExplodesStopsAndKeepsTheDraws() throws {
        let directory = try TemporaryDirectory()
        var sampler = PosteriorSampler(
            try Self.correlated(Double.self), rule: SGLD(learningRate: 1),
            schedule: SamplingSchedule(steps: 5000, burnIn: 0, thin: 5))
        sampler.chains = 2
        do {
            _ = try sampler.sample(to: directory.file("s"))
            Issue.record("it did not explode")
        } catch let error as SamplingDivergence {
            #expect(error.draws > 10 && error.step < 5000 && error.lastEnergy > 1e100, "\(error)")
            #expect("\(error)".contains("try a learning rate of 0.1"), "\(error)")
            let kept = try Samples(contentsOf: directory.file("s"))
            #expect(kept.draws == error.draws)
            #expect(try kept.function("energy").draws[0][0] < 10_000)
        }
    }

    /// Where no step could be taken, none was too large.
    @Test func aDensityThatCannotBeComputedIsNotBlamedOnTheSteps() throws {
        for (energy, words) in [
            (Double.nan, "neither its energy U nor its gradient is a finite number"),
            (.infinity, "neither its energy U"), (3, "its energy U is 3.0, and its gradient is not finite"),
        ] {
            let potential = try Potential<Double>(dimension: 1) { _, gradient in
                gradient[0] = .nan
                return energy
            }
            let sampler = PosteriorSampler(
                potential, rule: SGLD(learningRate: 0.01), schedule: SamplingSchedule(steps: 1000))
            let error = #expect(throws: SamplingDivergence.self) { try sampler.sample() }
            let text = error?.description ?? ""
            #expect(text.contains("could take no step") && text.contains(words), "\(text)")
            #expect(!text.contains("learning rate") && !text.contains("nan"), "\(text)")
        }
    }

    /// One call at a time works on a directory.
    @Test func aDirectoryThatIsSampledIntoIsLeftAlone() throws {
        let directory = try TemporaryDirectory()
        let place = directory.file("s")
        let sampler = try Self.many()
        var refused: FileError?
        let first = try sampler.sample(to: place) {
            do { _ = try sampler.sample(to: place) } catch { refused = error as? FileError }
            return true
        }
        #expect(refused?.reason == .inUse, "\(refused as Any)")
        #expect(refused?.message.contains("another process is working on the draws in it") == true)
        // It is free again, and what was begun goes on.
        let samples = try #require(try sampler.sample(to: place))
        #expect(samples.draws == sampler.schedule.draws && (first?.draws ?? 0) <= samples.draws)
    }

    /// An edge of the support, beyond which the density cannot be computed.
    @Test func anEdgeIsSaidToBeOne() throws {
        let potential = try Potential<Double>(dimension: 1) { theta, gradient in
            // Gamma(1, 1) on x > 0, and no number elsewhere.
            gradient[0] = theta[0] > 0 ? 1 : .nan
            return theta[0] > 0 ? theta[0] : .nan
        }
        var sampler = PosteriorSampler(
            potential, rule: SGLD(learningRate: 0.01), schedule: SamplingSchedule(steps: 100_000))
        sampler.start = .at([[1], [1], [1], [1]])
        do {
            _ = try sampler.sample()
            Issue.record("it met no edge")
        } catch let error as SamplingDivergence {
            #expect("\(error)".contains("the density has an edge there"), "\(error)")
        }
    }

    @Test func damagedPartsAreRefusedByName() throws {
        let directory = try TemporaryDirectory()
        var sampler = try Self.many()
        sampler.chains = 2
        let place = directory.file("s")
        _ = try sampler.sample(to: place)
        let part = place.appendingPathComponent("part-000003.safetensors")
        let bytes = try Data(contentsOf: part)
        func message() -> String {
            do { _ = try Samples(contentsOf: place) } catch { return "\(error)" }
            return "accepted"
        }
        try bytes.dropLast(5).write(to: part)
        #expect(message().contains("part-000003.safetensors"), "\(message())")
        try FileManager.default.removeItem(at: part)
        #expect(message().contains("part-000004.safetensors: does not follow"), "\(message())")
        #expect(throws: FileError.self) { try Samples(contentsOf: directory.file("nothing")) }
        // A sampler that goes on says so too, and touches nothing.
        #expect(throws: (any Error).self) { try sampler.sample(to: place) }
    }
}
