import Foundation

extension StepBenchmark {
    /// One line of a table.
    public struct Row: Sendable, Codable {
        public let name: String
        /// Median nanoseconds per element.
        public let nanoseconds: Double
        /// Median over rounds of this row's time by libtorch's fused Adam's (or SGD's, for SGD rows).
        public let toFused: Double
        /// The same by PEO's gaussian-perturbed step of the same rule.
        public let toGaussian: Double?
        /// The same by libtorch's fused Adam after `grad.add_(randn_like(grad))`; nil where it was not timed.
        public let toNoisy: Double?
    }

    /// Nanoseconds per element of Adam with Gaussian noise at one number of elements.
    public struct ScalingRow: Sendable, Codable {
        public let elements: Int
        public let oneThread: Double
        public let allThreads: Double
        /// A bare stream over the same bytes, on all threads.
        public let stream: Double
    }

    public struct Report: Sendable, Codable {
        public let elements: Int
        public let threads: Int
        public let placements: Int
        public let rounds: Int
        public let libtorch: String
        public let instructions: String
        public let rows: [Row]
        /// 1,000 tensors of 1,000 elements.
        public let manyTensors: [Row]
        public let scaling: [ScalingRow]
        /// What the finite check adds to the perturbed Adam step, as a fraction of it.
        public let finiteCheckCost: Double
        /// The same in training, where each backward pass looks at the gradients as it leaves them.
        public let finiteCheckCostAfterBackward: Double
        /// Peak resident bytes during perturbed steps above those resident before; nil where unknown.
        public let extraPeakBytes: Int?
        /// The bytes of one parameter-sized array, to compare that with.
        public let parameterBytes: Int
    }
}

extension StepBenchmark.Report {
    /// The tables as text.
    public var table: String {
        var lines = [
            "\(elements) float32 parameters, \(threads) threads, median of \(placements) placements × \(rounds) rounds, "
                + "libtorch \(libtorch), \(instructions)"
        ]
        lines += Self.table(rows)
        lines.append("* one pass for statistics before the update; ** two")
        lines.append(
            String(
                format:
                    "the finite check adds %.1f%% to adam + gaussian in training, and %.1f%% where it has to "
                    + "read the gradients from memory", finiteCheckCostAfterBackward * 100,
                finiteCheckCost * 100))
        if let extraPeakBytes {
            lines.append(
                String(
                    format:
                        "extra peak memory of a gaussian perturbation: %.2f MiB (one parameter array: %.2f MiB)",
                    Double(extraPeakBytes) / 1_048_576, Double(parameterBytes) / 1_048_576))
        }
        lines += ["", "1000 tensors of 1000 elements, \(threads) threads"] + Self.table(manyTensors)
        lines += ["", "adam + gaussian by size"]
        lines.append(
            Self.pad("elements", 38)
                + ["1 thread", "\(threads) threads", "bare stream"].map { Self.pad($0, 12, left: true) }
                .joined()
                + "  ns/element")
        lines += scaling.map { row in
            Self.pad("\(row.elements)", 38)
                + [row.oneThread, row.allThreads, row.stream].map {
                    Self.pad(String(format: "%.3f", $0), 12, left: true)
                }.joined()
        }
        return lines.joined(separator: "\n")
    }

    private static func table(_ rows: [StepBenchmark.Row]) -> [String] {
        let head =
            pad("step", 38)
            + ["ns/element", "by fused", "by gaussian"].map { pad($0, 12, left: true) }.joined()
            + "  by fused+randn"
        return [head]
            + rows.map { row in
                pad(row.name, 38) + pad(String(format: "%.3f", row.nanoseconds), 12, left: true)
                    + pad(String(format: "%.2f×", row.toFused), 12, left: true)
                    + pad(row.toGaussian.map { String(format: "%.2f×", $0) } ?? "", 12, left: true)
                    + (row.toNoisy.map { String(format: "  %.3f× (%.1f× faster)", $0, 1 / $0) } ?? "")
            }
    }

    private static func pad(_ text: String, _ width: Int, left: Bool = false) -> String {
        let space = String(repeating: " ", count: max(0, width - text.count))
        return left ? space + text : text + space
    }
}
