import Foundation
import PerturbedEquations
import Safetensors
import Statistics

/// Samples from a ``Potential``: several chains, side by side on the cores.
///
/// ```swift
/// let potential = try Potential<Double>(dimension: 2) { theta, gradient in … }
/// let sampler = PosteriorSampler(
///     potential, rule: SGHMC(learningRate: 0.01), schedule: SamplingSchedule(steps: 20_000, thin: 10))
/// let samples = try sampler.sample()
/// for name in samples.functions { print(name, ChainDiagnostics(try samples.function(name))) }
/// ```
public struct PosteriorSampler<Scalar: EquationScalar>: Sendable {
    /// Where the chains begin.
    public enum Start: Sendable {
        /// N(m, s²) in each coordinate, another for each chain; m = 0 and s = 1 unless told. It should be wider than what
        /// is sampled, so that chains which agree have forgotten it.
        case normal(mean: Scalar = 0, deviation: Double = 1)
        /// One θ for each chain.
        case at([[Scalar]])
    }

    public var potential: Potential<Scalar>
    /// The rule, which must be one that samples; perturbations and guards, if any.
    public var equation: PerturbedEquation
    public var schedule: SamplingSchedule
    /// How many, ≥ 1; 4 unless told.
    public var chains = 4
    /// What every random number derives from; 1 unless told.
    public var seed: UInt64 = 1
    public var start = Start.normal()
    /// Chains that move at once; the number of cores unless told. No bit depends on it.
    public var threads = ProcessInfo.processInfo.activeProcessorCount
    /// What is noted of every draw beside U; the first 32 coordinates unless told.
    public var functions: [ChainFunction<Scalar>]

    public init(_ potential: Potential<Scalar>, equation: PerturbedEquation, schedule: SamplingSchedule) {
        self.potential = potential
        self.equation = equation
        self.schedule = schedule
        functions = (0..<min(32, potential.dimension)).map(ChainFunction.coordinate)
    }

    public init(_ potential: Potential<Scalar>, rule: any PosteriorRule, schedule: SamplingSchedule) {
        self.init(potential, equation: PerturbedEquation(rule: rule), schedule: schedule)
    }

    /// Samples, and keeps the draws in memory.
    ///
    /// - Throws: `ConfigurationError` for settings that cannot be used; ``SamplingDivergence`` where the step size explodes;
    ///   what the potential throws.
    public func sample() throws -> Samples {
        let sampler = try sampler(to: .memory)
        while !sampler.isFinished { try sampler.advance(by: Self.round) }
        return try Samples(parts: sampler.writer.kept)
    }

    /// Samples, and streams the draws to a directory, which is made. Where a call was killed or interrupted before, it goes on,
    /// with the same bits; where it was finished, nothing is done.
    ///
    /// - Parameter isInterrupted: asked several times a second; a call that is interrupted saves and returns.
    /// - Returns: the draws that are written; nil where a call was interrupted before the first part was full.
    /// - Throws: as ``sample()``, with the draws up to an explosion written; `FileError`, `inUse` where another process, or
    ///   another call, samples into the directory; ``SamplingStateError`` where the directory belongs to other settings.
    public func sample(to directory: URL, isInterrupted: () -> Bool = { false }) throws -> Samples? {
        do {
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        } catch {
            throw FileError(
                path: directory.path, operation: .create, reason: .permission,
                detail: error.localizedDescription)
        }
        let lock = try DirectoryLock(directory, work: "the draws in it")
        defer { withExtendedLifetime(lock) {} }
        let sampler = try sampler(to: .directory(directory))
        let state = directory.appendingPathComponent("state.safetensors")
        func save() throws {
            let metadata = try sampler.stateMetadata().merging(settings()) { $1 }
            try SafetensorsFile.write(try sampler.stateSources(), metadata: metadata, to: state)
        }
        if FileManager.default.fileExists(atPath: state.path) {
            let file = try SafetensorsFile(contentsOf: state)
            try requireSettings(of: file)
            try sampler.restore(from: file)
        } else {
            guard try SampleStore.parts(in: directory).isEmpty else {
                throw SamplingStateError(
                    message:
                        "\(directory.path) holds draws of another kind of run (parts, and no \(state.lastPathComponent)); give "
                        + "another directory")
            }
            // From the first part on, a state says whose the parts are.
            try save()
        }
        let clock = ContinuousClock()
        var (saved, count) = (clock.now, Self.round)
        while !sampler.isFinished {
            let began = clock.now
            try sampler.advance(by: count)
            // Rounds of about a tenth of a second, whatever a step costs.
            let seconds = (clock.now - began) / .seconds(1)
            count = max(1, min(1 << 20, Int(Double(count) * min(2, 0.1 / max(seconds, 1e-6)))))
            let stops = isInterrupted()
            if stops || sampler.isFinished || clock.now - saved > .seconds(5) {
                try save()
                saved = clock.now
            }
            if stops { break }
        }
        return sampler.writer.part == 0 ? nil : try Samples(contentsOf: directory)
    }

    /// The sampler itself, for those who move it: its draws go to a directory, which must exist.
    package func chainSampler(to directory: URL) throws -> ChainSampler {
        try sampler(to: .directory(directory))
    }

    /// All that decides the draws, but for what the closures compute.
    private func settings() throws -> [String: String] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        func text(_ value: some Encodable) throws -> String {
            String(decoding: try encoder.encode(value), as: UTF8.self)
        }
        var settings = [
            "seed": "\(seed)", "schedule": try text(schedule), "equation": try text(equation),
            "dimension": "\(potential.dimension)", "examples": "\(potential.scale.examples)",
            "functions": functions.map(\.name).joined(separator: ", "),
        ]
        if let prior = potential.prior {
            settings["prior"] = "\(type(of: prior).catalogueEntry.name) \(try text(prior))"
        }
        if case .batches(let size, _) = potential.form { settings["batchSize"] = "\(size)" }
        switch start {
        case .normal(let mean, let deviation):
            settings["start"] = "normal, mean \(mean), deviation \(deviation)"
        case .at(let places): settings["start"] = "given, \(NoiseKey(seed: 0).derived("\(places)").seed)"
        }
        return Dictionary(uniqueKeysWithValues: settings.map { ("settings.\($0)", $1) })
    }

    /// Refuses the state of other settings: its draws are not those that are asked for.
    private func requireSettings(of file: SafetensorsFile) throws {
        let own = try settings()
        let stored = file.metadata.filter { $0.key.hasPrefix("settings.") }
        for key in Set(own.keys).union(stored.keys).sorted() where own[key] != stored[key] {
            throw SamplingStateError(
                message: "\(file.name): belongs to other settings: \(key.dropFirst("settings.".count)) was "
                    + "\(stored[key] ?? "absent") and is \(own[key] ?? "absent") now; give another directory, or remove this one"
            )
        }
    }

    /// Steps of a first round.
    private static var round: Int { 256 }

    private func sampler(to store: SampleStore) throws -> ChainSampler {
        try require(chains >= 1, "chains", is: chains, allowed: "a whole number ≥ 1")
        try require(threads >= 1, "threads", is: threads, allowed: "a whole number ≥ 1")
        try within("schedule") { try schedule.validate() }
        let equation = try equation.sampling(potential.scale, cycle: schedule.cycle)
        return try ChainSampler(
            try (0..<chains).map { chain in
                try PotentialChain(
                    potential, equation: equation, functions: functions, start: try start(of: chain),
                    key: .chain(chain, seed: seed), steps: schedule.steps)
            }, schedule: schedule, to: store, threads: threads)
    }

    private func start(of chain: Int) throws -> [Scalar] {
        switch start {
        case .normal(let mean, let deviation):
            var theta = [Scalar](repeating: 0, count: potential.dimension)
            var span = theta.mutableSpan
            NoiseStream(
                key: .chain(chain, seed: seed).derived("start"), step: 0, parameter: 0, term: 0
            ).fill(&span, with: .normal, scale: deviation)
            return theta.map { $0 + mean }
        case .at(let places):
            try require(
                places.count == chains && places.allSatisfy { $0.count == potential.dimension }, "start",
                is: "\(places.count) places of \(places.map(\.count)) numbers",
                allowed: "\(chains), one for each chain, of \(potential.dimension)")
            return places[chain]
        }
    }
}
