import PerturbedEquations

/// Made numbers in the place of the signals that an equation's terms require, for a table of times: ξ ~ N(0, 1), by size where
/// a signal is never negative. Each lies in memory of its own, as it does in training.
final class MadeSignals {
    let signals: ParameterSignals
    private let memory: [UnsafeMutableBufferPointer<Float>]

    /// The signals that terms require at any step, `count` float32 numbers each.
    init(of equation: PerturbedEquation, count: Int) {
        let required = Set(equation.perturbation.flatMap { $0.requirements(at: 0).signals })
        var signals = ParameterSignals()
        var memory: [UnsafeMutableBufferPointer<Float>] = []
        for (number, signal) in Signal.allCases.enumerated() where required.contains(signal) {
            let numbers = UnsafeMutableBufferPointer<Float>.allocate(capacity: count)
            numbers.initialize(repeating: 0)
            var span = numbers.mutableSpan
            NoiseStream(key: NoiseKey(seed: 1), step: 0, parameter: 0, term: number)
                .fill(&span, with: .normal)
            switch signal {
            case .hessianDiagonal, .positivePart: for i in numbers.indices { numbers[i] = abs(numbers[i]) }
            case .microBatchNoise: break
            }
            signals[signal] = UnsafeRawPointer(numbers.baseAddress!)
            memory.append(numbers)
        }
        self.signals = signals
        self.memory = memory
    }

    deinit { for numbers in memory { numbers.deallocate() } }
}
