import Foundation
import PerturbedEquations
import PerturbedTorch
import Torch

/// `peo bench step`: the time of a perturbed step against libtorch's own fused steps, in the same process.
public struct StepBenchmark: Sendable {
    /// The number of float32 parameters.
    public var elements: Int
    public var threads: Int
    /// Every row is timed once a round.
    public var rounds: Int

    public init(elements: Int = 25_000_000, threads: Int = 2, rounds: Int = 15) {
        self.elements = elements
        self.threads = threads
        self.rounds = rounds
    }

    /// One line of the table.
    public struct Row: Sendable, Codable {
        public let name: String
        /// Median nanoseconds per element.
        public let nanoseconds: Double
        /// Median over rounds of this row's time by libtorch's fused Adam's (or SGD's, for SGD rows).
        public let toFused: Double
        /// The same by libtorch's fused Adam after `grad.add_(randn_like(grad))`; nil where it was not timed.
        public let toNoisy: Double?
    }

    public struct Report: Sendable, Codable {
        public let elements: Int
        public let threads: Int
        public let rounds: Int
        public let libtorch: String
        public let instructions: String
        public let rows: [Row]
        /// What the finite check adds to the perturbed Adam step, as a fraction of it.
        public let finiteCheckCost: Double
        /// Peak resident bytes during perturbed steps above those resident before; nil where unknown.
        public let extraPeakBytes: Int?
        /// The bytes of one parameter-sized array, to compare that with.
        public let parameterBytes: Int
    }

    /// An optimizer for the parameter and gradient of the peers.
    private struct Subject {
        private let peers: Peers
        private let optimizer: PerturbedOptimizer

        init(_ peers: Peers, _ elements: Int, _ equation: PerturbedEquation, threads: Int) throws {
            self.peers = peers
            optimizer = try PerturbedOptimizer(
                parameters: [ParameterSpec("theta", shape: [elements])], equation: equation, seed: 1,
                engine: Engine(parallel: .torch(threads: threads)))
        }

        func step() throws {
            _ = try peers.withMemory { parameter, gradient in
                try optimizer.step([ParameterBuffer(parameters: parameter, gradient: gradient)])
            }
        }
    }

    /// The row that is also timed against libtorch's Adam after `randn_like`.
    static let subject = "PEO adam + gaussian"

    /// The equations that are timed, in the order of the table. Guards are off unless named.
    static let equations: [(name: String, equation: PerturbedEquation)] = {
        let gaussian = Gaussian(sigma: 1e-3)
        func adam(_ terms: [any Perturbation], _ stability: Stability = .none) -> PerturbedEquation {
            PerturbedEquation(rule: Adam(learningRate: 1e-3), perturbation: terms, stability: stability)
        }
        func guarded(_ set: (inout Stability) -> Void) -> Stability {
            var stability = Stability.none
            set(&stability)
            return stability
        }
        return [
            ("PEO adam", adam([])),
            (subject, adam([gaussian])),
            ("  … + skipNonFinite", adam([gaussian], Stability())),
            ("  … + clipGlobalNorm", adam([gaussian], guarded { $0.clipGlobalNorm = 1e9 })),
            ("  … + perturbationToGradient", adam([gaussian], guarded { $0.perturbationToGradient = 1e9 })),
            ("PEO adam + uniform", adam([Uniform(sigma: 1e-3)])),
            ("PEO adam + laplace", adam([Laplace(sigma: 1e-3)])),
            ("PEO adam + dropNoise", adam([DropNoise(probability: 0.1)])),
            ("PEO adam + gradientScaled", adam([GradientScaled(alpha: 0.1)])),
            ("PEO adam + orthogonal", adam([Orthogonal(sigma: 1e-3)])),
            ("PEO adam + weightPenalty", adam([WeightPenalty(l2: 1e-4)])),
            (
                "PEO adam + three terms",
                adam([gaussian, GradientScaled(alpha: 0.1), WeightPenalty(l2: 1e-4)])
            ),
            ("PEO sgd", PerturbedEquation(rule: SGD(learningRate: 1e-3), stability: .none)),
            (
                "PEO sgd + gaussian",
                PerturbedEquation(rule: SGD(learningRate: 1e-3), perturbation: gaussian, stability: .none)
            ),
        ]
    }()

    /// Runs the benchmark. It needs about 50 bytes for each element.
    ///
    /// - Throws: `TorchError` where there is not enough memory.
    public func run() throws -> Report {
        let before = Threads.count
        defer { Threads.count = before }
        Threads.count = threads
        let peers = try Peers(count: elements)
        let noisyAdam = PairedTiming.Work {
            try peers.addNoise()
            try peers.adam()
        }
        let peerTiming = try PairedTiming(
            [.init { try peers.adam() }, noisyAdam, .init { try peers.sgd() }], rounds: rounds)
        var rows = ["fused Adam", "fused Adam after randn_like", "fused SGD"].enumerated().map {
            index, name in
            row("libtorch \(name)", peerTiming, index, fused: index == 2 ? 2 : 0, noisy: index == 2 ? nil : 1)
        }
        for (name, equation) in Self.equations {
            let subject = try Subject(peers, elements, equation, threads: threads)
            let step = PairedTiming.Work { try subject.step() }
            if equation.rule is SGD {
                rows.append(
                    row(
                        name, try PairedTiming([.init { try peers.sgd() }, step], rounds: rounds), 1, fused: 0
                    ))
            } else if name == Self.subject {
                let timing = try PairedTiming([.init { try peers.adam() }, noisyAdam, step], rounds: rounds)
                rows.append(row(name, timing, 2, fused: 0, noisy: 1))
            } else {
                rows.append(
                    row(
                        name, try PairedTiming([.init { try peers.adam() }, step], rounds: rounds), 1,
                        fused: 0))
            }
        }
        return Report(
            elements: elements, threads: threads, rounds: rounds, libtorch: Libtorch.version,
            instructions: SIMDLevel.highest.rawValue, rows: rows, finiteCheckCost: try finiteCheckCost(peers),
            extraPeakBytes: try extraPeak(peers), parameterBytes: elements * MemoryLayout<Float>.stride)
    }

    private func row(
        _ name: String, _ timing: PairedTiming, _ index: Int, fused: Int, noisy: Int? = nil
    ) -> Row {
        Row(
            name: name, nanoseconds: timing.median(index) / Double(elements) * 1e9,
            toFused: timing.ratio(index, to: fused), toNoisy: noisy.map { timing.ratio(index, to: $0) })
    }

    /// What the finite check adds to a gaussian-perturbed Adam step, in turn.
    private func finiteCheckCost(_ peers: Peers) throws -> Double {
        let gaussian = Gaussian(sigma: 1e-3)
        let works = try [Stability.none, Stability()].map { stability in
            let subject = try Subject(
                peers, elements,
                PerturbedEquation(rule: Adam(), perturbation: gaussian, stability: stability),
                threads: threads)
            return PairedTiming.Work { try subject.step() }
        }
        return try PairedTiming(works, rounds: rounds).ratio(1, to: 0) - 1
    }

    /// How far the resident memory rises while perturbed steps run.
    private func extraPeak(_ peers: Peers) throws -> Int? {
        let subject = try Subject(
            peers, elements,
            PerturbedEquation(rule: SGD(learningRate: 1e-3), perturbation: Gaussian(sigma: 1e-3)),
            threads: threads)
        // The first step brings what is there without any perturbation: threads, blocks, state.
        try subject.step()
        guard ProcessMemory.resetPeak(), let resident = ProcessMemory.resident else { return nil }
        for _ in 0..<3 { try subject.step() }
        return ProcessMemory.peak.map { max(0, $0 - resident) }
    }
}

extension StepBenchmark.Report {
    /// The table as text.
    public var table: String {
        var lines = [
            "\(elements) float32 parameters, \(threads) threads, median of \(rounds) rounds, "
                + "libtorch \(libtorch), \(instructions)",
            Self.line("step", "ns/element", "by fused", "by fused+randn"),
        ]
        for row in rows {
            lines.append(
                Self.line(
                    row.name, String(format: "%.3f", row.nanoseconds), String(format: "%.2f×", row.toFused),
                    row.toNoisy.map { String(format: "%.3f×  (%.1f× faster)", $0, 1 / $0) } ?? ""))
        }
        lines.append(String(format: "the finite check adds %.1f%% to adam + gaussian", finiteCheckCost * 100))
        if let extraPeakBytes {
            lines.append(
                String(
                    format:
                        "extra peak memory of a gaussian perturbation: %.2f MiB (one parameter array: %.2f MiB)",
                    Double(extraPeakBytes) / 1_048_576, Double(parameterBytes) / 1_048_576))
        }
        return lines.joined(separator: "\n")
    }

    private static func line(_ name: String, _ time: String, _ fused: String, _ noisy: String) -> String {
        func pad(_ text: String, _ width: Int, left: Bool = false) -> String {
            let space = String(repeating: " ", count: max(0, width - text.count))
            return left ? space + text : text + space
        }
        return pad(name, 38) + pad(time, 12, left: true) + pad(fused, 10, left: true) + "  " + noisy
    }
}
