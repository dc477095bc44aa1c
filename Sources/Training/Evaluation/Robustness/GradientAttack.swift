import Datasets
import PerturbedEquations
import Torch
import TorchNN

/// Inputs changed, within a small box, so that a classifier errs: by the sign of the loss's gradient ∇ₓL(x, y).
///
/// | Method | x′ |
/// |---|---|
/// | `fgsm` | x + ε·sign ∇ₓL(x) |
/// | `pgd(steps)` | x⁰ = x + εu, u ~ U(−1, 1); xᵏ⁺¹ = Π(xᵏ + (ε/4)·sign ∇ₓL(xᵏ)) |
///
/// Π keeps every number within ε of x, and pixels within their range. ε is in ``InputUnits``: 0.1 is a tenth of the way
/// from the darkest to the brightest pixel, also where the data set standardises them. u is a pure function of (key,
/// example), so that it depends on neither batches nor threads. What counts is the last iterate.
///
/// A model whose probabilities are 0 or 1 to float precision has no gradient: such an attack fails without the model being
/// robust.
///
/// Sources: Goodfellow, Shlens and Szegedy 2015, Explaining and Harnessing Adversarial Examples; Madry and others 2018,
/// Towards Deep Learning Models Resistant to Adversarial Attacks.
public struct GradientAttack: Sendable, Hashable {
    public enum Method: Sendable, Hashable {
        case fgsm
        /// With one gradient a step.
        case pgd(steps: Int)
    }

    public var method: Method
    /// The radius of the box, ≥ 0.
    public var epsilon: Double

    public init(_ method: Method, epsilon: Double) {
        self.method = method
        self.epsilon = epsilon
    }

    /// `FGSM`, or `PGD-20`.
    public var name: String {
        switch method {
        case .fgsm: "FGSM"
        case .pgd(let steps): "PGD-\(steps)"
        }
    }

    /// What moves an input in one step, as a share of ε.
    public static let stepShare = 0.25

    /// Accuracy and loss of a classifier under this attack.
    ///
    /// - Parameters:
    ///   - positions: which examples of the part; all unless told.
    ///   - batch: examples of one backward pass.
    ///   - key: of the random start.
    /// - Throws: `TorchError`; ``TrainingStopped`` where a stop was asked for.
    public func measure(
        _ model: any Module, on split: DataSplit, of kind: ExampleKind, positions: [Int]? = nil,
        batch size: Int = 128, key: NoiseKey
    ) throws -> Evaluation {
        let device = model.parameters.first?.tensor.device ?? .cpu
        let bounds = try InputUnits(split, of: kind).bounds(on: device)
        return try Evaluation.measure(model, on: split, of: kind, positions: positions, size: size) {
            batch, positions in
            try changed(batch, positions, model, bounds, key)
        }
    }

    /// The changed inputs of one batch.
    func changed(
        _ batch: Batch, _ examples: ArraySlice<Int>, _ model: any Module, _ bounds: InputUnits.Bounds,
        _ key: NoiseKey
    ) throws -> Tensor {
        let x = batch.inputs
        let radius = bounds.unit * epsilon
        let (low, high) = (bounds.clamped(x - radius), bounds.clamped(x + radius))
        func step(from place: Tensor, _ length: Tensor) throws -> Tensor {
            let leaf = place.detached().cloned().requiringGradient()
            // The sum: a mean would make small gradients smaller, and the smallest 0.
            let loss =
                Loss.crossEntropy()(model.forward(leaf, .evaluation), batch.targets) * Double(batch.count)
            guard let gradient = try Tensor.gradients(of: [loss], at: [leaf])[0] else { return place }
            return (place + length * gradient.sign()).maximum(low).minimum(high)
        }
        switch method {
        case .fgsm: return try step(from: x, radius)
        case .pgd(let steps):
            var place = (x + radius * (try start(x, examples, key))).maximum(low).minimum(high)
            for _ in 0..<steps {
                try Interruption.check()
                place = try step(from: place, radius * Self.stepShare)
            }
            return place
        }
    }

    /// u: each number from U(−1, 1).
    private func start(_ x: Tensor, _ examples: ArraySlice<Int>, _ key: NoiseKey) throws -> Tensor {
        let start = try Tensor.zeros(x.shape)
        let size = start.count / max(1, examples.count)
        start.withUnsafeMutableBytes { bytes in
            let values = bytes.bindMemory(to: Float.self)
            for (place, example) in examples.enumerated() {
                var span = UnsafeMutableBufferPointer(rebasing: values[place * size..<(place + 1) * size])
                    .mutableSpan
                // The noise has variance 1: √3·U(−1, 1).
                NoiseStream(key: key.derived("attack"), step: 0, parameter: example, term: 0)
                    .fill(&span, with: .uniform, scale: 1 / 3.0.squareRoot())
            }
        }
        return start.moved(to: x.device)
    }
}
