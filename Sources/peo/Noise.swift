import ArgumentParser
import Foundation
import PerturbedEquations

/// `peo noise`
struct Noise: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look at the noise: its raw random words, and its values.",
        subcommands: [Words.self, Values.self])

    /// `peo noise words`
    struct Words: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write the raw 32-bit random words, little-endian, to standard output.",
            discussion: """
                For statistical batteries: scripts/noise-battery runs dieharder on them.

                Examples:
                  peo noise words | dieharder -a -g 200
                  peo noise words --order steps --count 1000000 > words.bin

                An order counts up one part of the address: the elements of one tensor; or, four elements of each,
                steps, parameters, terms or seeds.
                """)

        @Option(help: "\(NoiseWords.Order.allCases.map(\.rawValue).joined(separator: ", ")).")
        var order = "elements"

        @Option(help: "The seed, or the first one.")
        var seed: UInt64 = 1

        @Option(help: "How many words; until the reader goes away unless given.")
        var count: UInt64?

        func validate() throws {
            try require(
                NoiseWords.Order(rawValue: order) != nil, "--order", order,
                NoiseWords.Order.allCases.map(\.rawValue).joined(separator: ", "))
        }

        func run() throws {
            let words = NoiseWords(seed: seed, order: NoiseWords.Order(rawValue: order)!)
            let all = words.groups.multipliedReportingOverflow(by: 4)
            var left = min(count ?? .max, all.overflow ? .max : all.partialValue)
            var group: UInt64 = 0
            var buffer = [UInt32](repeating: 0, count: 1 << 16)
            while left > 0 {
                let count = Int(min(left, UInt64(buffer.count)))
                buffer.withUnsafeMutableBufferPointer {
                    words.write(to: .init(rebasing: $0[..<((count + 3) / 4 * 4)]), from: group)
                }
                #if _endian(big)
                    for i in 0..<count { buffer[i] = buffer[i].littleEndian }
                #endif
                let isRead = try buffer.withUnsafeBytes {
                    try Output.writeBytes(.init(rebasing: $0[..<(4 * count)]))
                }
                guard isRead else { return }
                group += UInt64(buffer.count / 4)
                left -= UInt64(count)
            }
        }
    }

    /// `peo noise values`
    struct Values: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the noise that a run has at an address, one step a line.",
            discussion: """
                The number of a term is its place in the list of perturbations; 4095 is the noise of the rule
                itself, 4094 that of the parameter perturbation.
                """)

        @Option(help: "\(NoiseDistribution.allCases.map(\.rawValue).joined(separator: ", ")).")
        var distribution = "normal"

        @Option(help: "The run's seed.")
        var seed: UInt64 = 1

        @Option(help: "The logical step.")
        var step = 0

        @Option(help: "How many steps, from that one on.")
        var steps = 1

        @Option(help: "The number of the parameter tensor.")
        var parameter = 0

        @Option(help: "The number of the term.")
        var term = 0

        @Option(help: "Which draw of the term.")
        var draw = 0

        @Option(help: "How many elements.")
        var count = 10

        func validate() throws {
            try require(
                NoiseDistribution(rawValue: distribution) != nil, "--distribution", distribution,
                NoiseDistribution.allCases.map(\.rawValue).joined(separator: ", "))
            for (name, value, limit) in [
                ("step", step, 1 << 32), ("steps", steps, 1 << 20), ("parameter", parameter, 1 << 32),
                ("term", term, 1 << 12),
                ("draw", draw, 16), ("count", count, 1 << 28),
            ] {
                try require("--\(name)", value, in: 0...limit - 1)
            }
        }

        func run() throws {
            for step in step..<step + steps {
                let stream = NoiseStream(
                    key: PerturbedOptimizer.noiseKey(seed: seed), step: step, parameter: parameter,
                    term: term, draw: draw)
                var values = [Float](repeating: 0, count: count)
                var span = values.mutableSpan
                stream.fill(&span, with: NoiseDistribution(rawValue: distribution)!)
                try Output.write(values.map { "\($0)" }.joined(separator: " "))
            }
        }
    }
}
