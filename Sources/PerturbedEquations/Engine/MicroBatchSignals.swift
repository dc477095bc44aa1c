/// Gathers the gradient of a step from the gradients of its micro-batches, and with it the signals that terms make of
/// them.
///
/// ```swift
/// let signals = MicroBatchSignals(parameters: optimizer.parameters, optimizer.requiredSignals, seed: 1)
/// signals.begin(step: optimizer.step)
/// for (batch, share) in microBatches {                        // shares add up to 1
///     signals.add(buffers(withTheMeanGradientOf: batch), share: share)
/// }
/// try optimizer.step(signals.finish(buffers))
/// ```
///
/// For shares aᵢ of m micro-batches: ḡ = Σ aᵢgᵢ, `positivePart` = Σ aᵢ·max(gᵢ, 0), and
/// `microBatchNoise` = Σ √(aᵢ/(m−1))·ξᵢ·(gᵢ − ḡ), where ξᵢ ~ N(0, 1) is addressed by the seed, the step and i.
///
/// Memory: one tensor like each parameter for ḡ, and one for each signal.
public final class MicroBatchSignals {
    private let parameters: [ParameterSpec]
    private let signals: [Signal]
    /// ḡ and the signals, per parameter.
    private let memory: [StateMemory]
    private let key: NoiseKey
    private var hasGradient: [Bool]
    private var step = 0
    private var count = 0
    /// Σ √aᵢ·ξᵢ.
    private var weight = 0.0

    /// - Parameter signals: which to gather; those that do not come from micro-batches are left out.
    public init(parameters: [ParameterSpec], _ signals: Set<Signal>, seed: UInt64) {
        self.parameters = parameters
        self.signals = Signal.allCases.filter { signals.contains($0) && $0.needsMicroBatches }
        let tensors = 1 + self.signals.count
        memory = parameters.map { StateMemory(tensors: tensors, bytes: $0.count * $0.scalar.arithmetic.size) }
        key = NoiseKey(seed: seed).derived("microBatches")
        hasGradient = parameters.map { _ in false }
    }

    /// Starts over, for a logical step.
    public func begin(step: Int) {
        self.step = step
        count = 0
        weight = 0
        for index in parameters.indices { hasGradient[index] = false }
    }

    /// ξᵢ of the step.
    private func variate(_ i: Int) -> Double {
        var xi = [0.0]
        var span = xi.mutableSpan
        NoiseStream(key: key, step: step, parameter: 0, term: 0, firstElement: UInt64(i))
            .fill(&span, with: .normal)
        return xi[0]
    }

    /// Takes in one micro-batch.
    ///
    /// - Parameters:
    ///   - buffers: with the mean gradient over the micro-batch.
    ///   - share: its share aᵢ of the logical batch.
    public func add(_ buffers: [ParameterBuffer], share: Double) {
        precondition(
            buffers.count == parameters.count, "one buffer for each of \(parameters.count) parameters")
        let noise = share.squareRoot() * variate(count)
        weight += noise
        count += 1
        for (index, buffer) in buffers.enumerated() {
            guard let gradient = buffer.gradient else { continue }
            switch buffer.gradientScalar ?? parameters[index].scalar {
            case .float32:
                add(index, gradient.assumingMemoryBound(to: Float.self), share, noise) { $0 }
            case .float64:
                add(index, gradient.assumingMemoryBound(to: Double.self), share, noise) { $0 }
            case .bfloat16:
                add(index, gradient.assumingMemoryBound(to: BFloat16.self), share, noise) { Float($0) }
            }
            hasGradient[index] = true
        }
    }

    private func add<S: EquationScalar, G>(
        _ index: Int, _ gradient: UnsafePointer<G>, _ share: Double, _ noise: Double, _ value: (G) -> S
    ) {
        let (share, noise) = (S(share), S(noise))
        let isNew = !hasGradient[index]
        func gather(_ tensor: Int, _ term: (S) -> S) {
            let out = self.tensor(tensor, index, S.self)
            if isNew {
                for i in out.indices { out[i] = term(value(gradient[i])) }
            } else {
                for i in out.indices { out[i] += term(value(gradient[i])) }
            }
        }
        gather(0) { share * $0 }
        for (place, signal) in signals.enumerated() {
            switch signal {
            case .positivePart: gather(1 + place) { share * max($0, 0) }
            case .microBatchNoise: gather(1 + place) { noise * $0 }
            case .hessianDiagonal: break
            }
        }
    }

    private func tensor<S: EquationScalar>(
        _ number: Int, _ index: Int, _: S.Type
    ) -> UnsafeMutableBufferPointer<S> {
        UnsafeMutableBufferPointer(
            start: memory[index].tensors[number].baseAddress!.assumingMemoryBound(to: S.self),
            count: parameters[index].count)
    }

    /// The buffers of the step: ḡ as the gradient, and the signals. Valid until the next `begin`.
    ///
    /// - Parameter buffers: for θ, and what other signals there are.
    /// - Throws: `ConfigurationError` for fewer than two micro-batches.
    public func finish(_ buffers: [ParameterBuffer]) throws -> [ParameterBuffer] {
        guard count >= 2 || signals.isEmpty else {
            throw ConfigurationError(
                "is a sum of terms that need the signal \(signals[0].rawValue), which is made of micro-batches, of "
                    + "which this step had \(count); allowed: 2 or more (training.accumulate, and batches of as "
                    + "many examples)", path: "perturbation")
        }
        return buffers.enumerated().map { index, buffer in
            let arithmetic = parameters[index].scalar.arithmetic
            guard hasGradient[index] else {
                return ParameterBuffer(parameters: buffer.parameters, gradient: nil, signals: buffer.signals)
            }
            if let place = signals.firstIndex(of: .microBatchNoise) {
                switch arithmetic {
                case .float64: centre(1 + place, index, Double.self)
                default: centre(1 + place, index, Float.self)
                }
            }
            var supplied = buffer.signals
            for (place, signal) in signals.enumerated() {
                supplied[signal] = UnsafeRawPointer(memory[index].tensors[1 + place].baseAddress)
            }
            return ParameterBuffer(
                parameters: buffer.parameters,
                gradient: UnsafeRawPointer(memory[index].tensors[0].baseAddress!),
                gradientScalar: arithmetic, signals: supplied)
        }
    }

    /// Σ √aᵢ·ξᵢ·gᵢ becomes Σ √(aᵢ/(m−1))·ξᵢ·(gᵢ − ḡ).
    private func centre<S: EquationScalar>(_ number: Int, _ index: Int, _: S.Type) {
        let mean = tensor(0, index, S.self)
        let noise = tensor(number, index, S.self)
        let (weight, scale) = (S(weight), S(1 / Double(count - 1).squareRoot()))
        for i in noise.indices { noise[i] = scale * (noise[i] - weight * mean[i]) }
    }
}
