import Dispatch
import Foundation
import PerturbedEquations
import Safetensors
import Statistics
import Synchronization

/// Moves many chains, side by side on the cores, and keeps their draws.
///
/// A chain is moved by one thread at a time and depends on its key alone: the draws are the same bits for any number of
/// threads. Draws stream to a store; see `Samples`.
public final class ChainSampler {
    public let chains: [any MarkovChain]
    public let schedule: SamplingSchedule
    /// What is noted of every draw: `energy`, U as the draw's step estimated it before it moved, and the chains' functions.
    public let functions: [String]
    /// Steps that every chain has taken.
    public internal(set) var step = 0
    /// The last energies of the chains that were measured and finite.
    public internal(set) var energies: [Double]
    /// U of each chain at its first step; NaN before it.
    package internal(set) var firstEnergies: [Double]
    let writer: SampleWriter
    private let threads: Int
    private let prepare: @Sendable () -> Void
    var history: DrawHistory
    /// Steps in a row, up to now, that each chain could not take: only the thread that moves it looks.
    let skipped: UnsafeMutableBufferPointer<Int>

    /// After how many skipped steps in a row a chain has exploded.
    static let patience = 50

    /// - Parameters:
    ///   - chains: all with the same parameters and functions.
    ///   - store: where the draws go; a directory must exist.
    ///   - threads: how many chains move at once.
    ///   - prepare: called on each thread before it moves chains.
    init(
        _ chains: [any MarkovChain], schedule: SamplingSchedule, to store: SampleStore,
        threads: Int = ProcessInfo.processInfo.activeProcessorCount,
        prepare: @escaping @Sendable () -> Void = {}
    ) throws {
        try schedule.validate()
        precondition(!chains.isEmpty && threads > 0, "a sampler has a chain and a thread")
        self.chains = chains
        self.schedule = schedule
        functions = ["energy"] + chains[0].functionNames
        self.threads = threads
        self.prepare = prepare
        writer = SampleWriter(
            store, parameters: chains[0].optimizer.parameters, functions: functions, chains: chains.count,
            draws: schedule.draws)
        energies = [Double](repeating: .nan, count: chains.count)
        firstEnergies = energies
        history = DrawHistory(functions: functions.count, chains: chains.count)
        skipped = .allocate(capacity: chains.count)
        skipped.initialize(repeating: 0)
    }

    deinit { skipped.deallocate() }

    /// Chains whose draws go to a directory, which must exist.
    public convenience init(
        _ chains: [any MarkovChain], schedule: SamplingSchedule, to directory: URL,
        threads: Int = ProcessInfo.processInfo.activeProcessorCount,
        prepare: @escaping @Sendable () -> Void = {}
    ) throws {
        try self.init(
            chains, schedule: schedule, to: .directory(directory), threads: threads, prepare: prepare)
    }

    /// Removes parts that a run left which was killed before it saved anything: this one begins anew.
    /// - Throws: `FileError`.
    public func removeLeftParts() throws { try writer.removeLaterParts() }

    public var isFinished: Bool { step >= schedule.steps }
    /// Draws of each chain so far.
    public var draws: Int { writer.draws }

    /// A function's values at draws so far, evenly spread: at each of them as long as they are few. All are in the files.
    public func chains(of function: Int) -> Chains { Chains(history.values(of: function)) }

    /// η and T of the first chain's next step; η with what controllers make of it.
    public var learningRate: Double { chains[0].optimizer.learningRate(at: step) }
    public var temperature: Double {
        (chains[0].optimizer.equation.rule as? any PosteriorRule)?.temperature.value(at: step) ?? 1
    }

    /// Takes steps with every chain, at most `count` and no further than the run's end or a full part.
    ///
    /// - Throws: ``SamplingDivergence`` where a chain exploded, with all draws up to there written; what a chain throws;
    ///   `FileError`.
    public func advance(by count: Int) throws {
        let end = lastStep(of: count)
        let first = step
        let keeps = (first..<end).map { schedule.keeps(after: $0 + 1) }
        let outcomes = Mutex([Outcome?](repeating: nil, count: chains.count))
        let next = Atomic(0)
        nonisolated(unsafe) let sampler = self
        DispatchQueue.concurrentPerform(iterations: min(threads, chains.count)) { _ in
            sampler.prepare()
            while true {
                let chain = next.add(1, ordering: .relaxed).oldValue
                guard chain < sampler.chains.count else { return }
                let outcome = sampler.move(chain, from: first, keeps)
                outcomes.withLock { $0[chain] = outcome }
            }
        }
        let ended = outcomes.withLock { $0.map { $0! } }
        for (chain, outcome) in ended.enumerated() {
            if outcome.energy.isFinite { energies[chain] = outcome.energy }
            if firstEnergies[chain].isNaN { firstEnergies[chain] = outcome.firstEnergy }
        }
        let draws = ended.map(\.draws).min()!
        history.append(draws) { writer.value($0, chain: $1, place: $2) }
        try writer.commit(draws)
        step = end
        if let failure = ended.compactMap(\.failure).first {
            try writer.flush()
            throw failure
        }
        if let exploded = ended.firstIndex(where: { $0.explodedAt != nil }) {
            try writer.flush()
            let at = ended[exploded].explodedAt!
            throw SamplingDivergence(
                chain: exploded, step: at, firstEnergy: firstEnergies[exploded],
                lastEnergy: energies[exploded],
                learningRate: chains[exploded].optimizer.learningRate(at: max(0, at - 1)),
                draws: writer.draws)
        }
        if isFinished { try writer.flush() }
    }

    /// The step that `count` more lead to, but not past the end, nor past the draw that fills the part.
    private func lastStep(of count: Int) -> Int {
        let end = min(schedule.steps, step + count)
        var (last, room) = (step, writer.room)
        while last < end, room > 0 {
            last += 1
            if schedule.keeps(after: last) { room -= 1 }
        }
        return last
    }

    private struct Outcome: Sendable {
        var draws = 0
        var firstEnergy = Double.nan
        var energy = Double.nan
        var explodedAt: Int?
        var failure: (any Error)?
    }

    private func move(_ number: Int, from first: Int, _ keeps: [Bool]) -> Outcome {
        let chain = chains[number]
        var outcome = Outcome()
        do {
            for (place, isKept) in keeps.enumerated() {
                let isEnd = place == 0 || place == keeps.count - 1
                let taken = try chain.step(measuring: isKept || isEnd)
                if place == 0 { outcome.firstEnergy = taken.energy ?? .nan }
                skipped[number] = taken.outcome == .applied ? 0 : skipped[number] + 1
                if let energy = taken.energy, energy.isFinite { outcome.energy = energy }
                if skipped[number] >= Self.patience {
                    outcome.explodedAt = first + place + 1
                    return outcome
                }
                guard isKept else { continue }
                let values = try chain.functions()
                try chain.withParameters {
                    writer.put(
                        chain: number, place: outcome.draws, step: first + place + 1, $0,
                        energy: taken.energy ?? .nan, values)
                }
                outcome.draws += 1
            }
        } catch {
            outcome.failure = error
        }
        return outcome
    }
}

extension PerturbedOptimizer {
    /// η as the rule's schedule has it at a step, times the factors that controllers have now.
    fileprivate func learningRate(at step: Int) -> Double {
        controllers.filter { $0.scales == .learningRate }
            .reduce(equation.rule.learningRate.value(at: step)) { $0 * $1.factor }
    }
}
