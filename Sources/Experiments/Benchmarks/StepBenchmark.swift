import Foundation
import PerturbedEquations
import PerturbedTorch
import Torch

/// `peo bench step`: the time of a perturbed step against libtorch's own fused steps, in the same process.
///
/// Where memory lies decides the speed of a step by tens of percent, ours and libtorch's alike. So every table is
/// taken on several placements, each on fresh memory, with rows and peers in turn on the same parameters and
/// gradients; what is printed is the median over all rounds of all placements.
public struct StepBenchmark: Sendable {
    /// The number of float32 parameters of the main table.
    public var elements: Int
    public var threads: Int
    /// Fresh allocations of everything.
    public var placements: Int
    /// Every row is timed so often on each placement.
    public var rounds: Int

    public init(elements: Int = 25_000_000, threads: Int = 2, placements: Int = 5, rounds: Int = 3) {
        self.elements = elements
        self.threads = threads
        self.placements = placements
        self.rounds = rounds
    }

    /// Runs the benchmark. It needs about 60 bytes for each element.
    ///
    /// - Throws: `TorchError` where there is not enough memory.
    public func run() throws -> Report {
        let before = Threads.count
        defer { Threads.count = before }
        Threads.count = threads
        return Report(
            elements: elements, threads: threads, placements: placements, rounds: rounds,
            libtorch: Libtorch.version, instructions: SIMDLevel.highest.rawValue, rows: try mainTable(),
            manyTensors: try manyTensors(), scaling: try scaling(),
            finiteCheckCost: try finiteCheckCost(),
            finiteCheckCostAfterBackward: try finiteCheckCostAfterBackward(),
            extraPeakBytes: try extraPeak(),
            parameterBytes: elements * MemoryLayout<Float>.stride)
    }

    /// An optimizer for the parameters and gradients of the peers.
    struct Subject {
        private let peers: Peers
        private let optimizer: PerturbedOptimizer
        private let signals: MadeSignals

        init(
            _ peers: Peers, _ elements: Int, tensors: Int = 1, _ equation: PerturbedEquation, threads: Int
        ) throws {
            self.peers = peers
            optimizer = try PerturbedOptimizer(
                parameters: (0..<tensors).map { ParameterSpec("theta\($0)", shape: [elements]) },
                equation: equation, seed: 1, engine: Engine(parallel: .torch(threads: threads)))
            signals = MadeSignals(of: equation, count: elements)
        }

        func step() throws {
            try peers.withMemory { parameters, gradients in
                _ = try optimizer.step(
                    zip(parameters, gradients).map {
                        ParameterBuffer(
                            parameters: $0.data, gradient: UnsafeRawPointer($1.data),
                            signals: signals.signals)
                    })
            }
        }

        var work: PairedTiming.Work { .init(step) }
    }

    /// The times of one row over all placements, and their ratios within a round.
    struct Samples {
        var seconds: [Double] = []
        var toFused: [Double] = []
        var toGaussian: [Double] = []
        var toNoisy: [Double] = []

        mutating func add(_ timing: PairedTiming, _ index: Int, fused: Int, gaussian: Int?, noisy: Int? = nil)
        {
            func ratios(_ reference: Int) -> [Double] {
                zip(timing.seconds[index], timing.seconds[reference]).map { $0 / $1 }
            }
            seconds += timing.seconds[index]
            toFused += ratios(fused)
            if let gaussian { toGaussian += ratios(gaussian) }
            if let noisy { toNoisy += ratios(noisy) }
        }

        func row(_ name: String, elements: Int) -> Row {
            func median(_ values: [Double]) -> Double? { values.isEmpty ? nil : PairedTiming.median(values) }
            return Row(
                name: name, nanoseconds: PairedTiming.median(seconds) / Double(elements) * 1e9,
                toFused: PairedTiming.median(toFused), toGaussian: median(toGaussian),
                toNoisy: median(toNoisy))
        }
    }

    private func mainTable() throws -> [Row] {
        let names = [
            "bare stream", "libtorch fused Adam", "libtorch fused Adam after randn_like",
            "libtorch fused SGD",
        ]
        var peerSamples = names.map { _ in Samples() }
        var samples = Self.equations.map { _ in Samples() }
        for _ in 0..<placements {
            let peers = try Peers(count: elements)
            let works: [PairedTiming.Work] = [
                .init { try peers.stream(threads: threads) }, .init { try peers.adam() },
                .init {
                    try peers.addNoise()
                    try peers.adam()
                }, .init { try peers.sgd() },
            ]
            let adam = try Subject(peers, elements, Self.adam([Self.gaussian]), threads: threads)
            let sgd = try Subject(peers, elements, Self.sgd([Self.gaussian]), threads: threads)
            let timing = try PairedTiming(works + [adam.work], rounds: rounds)
            for index in works.indices {
                peerSamples[index].add(
                    timing, index, fused: index == 3 ? 3 : 1, gaussian: 4, noisy: index == 1 ? 2 : nil)
            }
            for (index, entry) in Self.equations.enumerated() {
                let isSGD = entry.equation.rule is SGD
                let subject = try Subject(peers, elements, entry.equation, threads: threads)
                let timing = try PairedTiming(
                    [works[isSGD ? 3 : 1], (isSGD ? sgd : adam).work, subject.work]
                        + (entry.isHeadline ? [works[2]] : []), rounds: rounds)
                samples[index].add(timing, 2, fused: 0, gaussian: 1, noisy: entry.isHeadline ? 3 : nil)
            }
        }
        return zip(names, peerSamples).map { $1.row($0, elements: elements) }
            + zip(Self.equations, samples).map { $1.row($0.name, elements: elements) }
    }

    /// A list of 1,000 tensors of 1,000 elements.
    private func manyTensors() throws -> [Row] {
        let tensors = 1000
        let count = 1000
        let names = [
            "libtorch fused Adam", "libtorch foreach Adam", "PEO adam", "PEO adam + gaussian",
            "PEO adam + gaussian + skipNonFinite",
        ]
        var samples = names.map { _ in Samples() }
        for _ in 0..<placements {
            let peers = try Peers(count: count, tensors: tensors)
            let equations = [
                Self.adam([]), Self.adam([Self.gaussian]), Self.adam([Self.gaussian], Stability()),
            ]
            let subjects = try equations.map {
                try Subject(peers, count, tensors: tensors, $0, threads: threads)
            }
            let timing = try PairedTiming(
                [.init { try peers.adam() }, .init { try peers.foreachAdam() }] + subjects.map(\.work),
                rounds: rounds * 20)
            for index in names.indices { samples[index].add(timing, index, fused: 0, gaussian: 3) }
        }
        return zip(names, samples).map { $1.row($0, elements: tensors * count) }
    }

    /// Adam with Gaussian noise from 10⁴ to 10⁸ elements, on one thread and on all.
    private func scaling() throws -> [ScalingRow] {
        var rows: [ScalingRow] = []
        for count in [10_000, 100_000, 1_000_000, 10_000_000, 100_000_000] where count <= elements * 4 {
            let peers = try Peers(count: count)
            let subjects = try [1, threads].map {
                try Subject(peers, count, Self.adam([Self.gaussian]), threads: $0)
            }
            let timing = try PairedTiming(
                subjects.map(\.work) + [.init { try peers.stream(threads: threads) }],
                rounds: max(rounds * 3, min(2001, 20_000_000 / count)))
            rows.append(
                ScalingRow(
                    elements: count, oneThread: timing.median(0) / Double(count) * 1e9,
                    allThreads: timing.median(1) / Double(count) * 1e9,
                    stream: timing.median(2) / Double(count) * 1e9))
        }
        return rows
    }

    /// What the finite check adds to a gaussian-perturbed Adam step on gradients that lie in memory.
    private func finiteCheckCost() throws -> Double {
        var ratios: [Double] = []
        for _ in 0..<placements {
            let peers = try Peers(count: elements)
            let works = try [Stability.none, Stability()].map {
                try Subject(peers, elements, Self.adam([Self.gaussian], $0), threads: threads).work
            }
            let timing = try PairedTiming(works, rounds: rounds)
            ratios += zip(timing.seconds[1], timing.seconds[0]).map { $0 / $1 }
        }
        return PairedTiming.median(ratios) - 1
    }

    /// How far the resident memory rises while perturbed steps run.
    private func extraPeak() throws -> Int? {
        let peers = try Peers(count: elements)
        let subject = try Subject(peers, elements, Self.sgd([Self.gaussian], Stability()), threads: threads)
        // The first step brings what is there without any perturbation: threads, blocks, state.
        try subject.step()
        guard ProcessMemory.resetPeak(), let resident = ProcessMemory.resident else { return nil }
        for _ in 0..<3 { try subject.step() }
        return ProcessMemory.peak.map { max(0, $0 - resident) }
    }
}
