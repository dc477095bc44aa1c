import PerturbedEquations
import PerturbedTorch
import Torch
import TorchNN

extension StepBenchmark {
    /// Square layers, as many parameters as the table's in all, with an optimizer: what a step of training is made of.
    private struct Training {
        private static let layers = 6
        private static let examples = 16
        private let model: Sequential
        private let optimizer: ModelOptimizer
        private let inputs: Tensor

        init(elements: Int, _ equation: PerturbedEquation, threads: Int) throws {
            let width = max(1, Int((Double(elements) / Double(Self.layers)).squareRoot()))
            model = Sequential(
                try (0..<Self.layers).map { try Linear(width, width, bias: false, seed: UInt64($0)) })
            optimizer = try ModelOptimizer(model, equation: equation, seed: 1, threads: threads)
            inputs = try .normal([Self.examples, width], seed: 1)
        }

        func step() throws {
            optimizer.zeroGradients()
            try model.forward(inputs, ForwardContext(training: true, seed: 1)).squared().mean().backward()
            try optimizer.step()
        }

        /// The seconds of a step alone, after a backward pass.
        func secondsOfStep() throws -> Double {
            try step()
            return try ContinuousClock().measure { try optimizer.step() } / .seconds(1)
        }
    }

    /// What the finite check adds to a gaussian-perturbed Adam step where a backward pass has just left the gradients, and
    /// looked at them: the longer time of both passes together, as a fraction of the step without it.
    func finiteCheckCostAfterBackward() throws -> Double {
        var costs: [Double] = []
        for _ in 0..<placements {
            let trainings = try [Stability.none, Stability()].map {
                try Training(elements: elements, Self.adam([Self.gaussian], $0), threads: threads)
            }
            let timing = try PairedTiming(
                trainings.map { training in .init { try training.step() } }, rounds: rounds * 3)
            let step = PairedTiming.median(try (0..<rounds).map { _ in try trainings[0].secondsOfStep() })
            costs += zip(timing.seconds[1], timing.seconds[0]).map { ($0 - $1) / step }
        }
        return PairedTiming.median(costs)
    }
}
