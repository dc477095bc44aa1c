import Datasets
import PerturbedEquations
import Torch
import TorchNN

/// Damage to a classifier's inputs that nobody chose against it, at severities 1 to 5.
///
/// | Name | Pixels x in 0...1 | Severities 1 to 5 |
/// |---|---|---|
/// | `gaussian` | x + σξ | σ = 0.04, 0.06, 0.08, 0.09, 0.1 |
/// | `impulse` | 0 or 1 for a share of the pixels | 0.01, 0.02, 0.03, 0.05, 0.07 |
/// | `blur` | convolved with a Gaussian of σ pixels | 0.4, 0.6, 0.7, 0.8, 1 |
/// | `contrast` | (x − mean)·c + mean, per channel | c = 0.75, 0.5, 0.4, 0.3, 0.15 |
/// | `brightness` | x + b | b = 0.05, 0.1, 0.15, 0.2, 0.3 |
///
/// The result stays within 0...1. Data that are no images have `gaussian` alone, with σ = 0.1, 0.2, 0.3, 0.5 and 1 in
/// ``InputUnits``. What is drawn is a pure function of (key, example).
///
/// Source: Hendrycks and Dietterich 2019, Benchmarking Neural Network Robustness to Common Corruptions and Perturbations
/// (the severities of CIFAR-10-C; brightness there is HSV's).
public enum InputDamage: String, Codable, Sendable, CaseIterable {
    case gaussian, impulse, blur, contrast, brightness

    /// Which of them data of a kind have.
    public static func fitting(_ split: DataSplit, of kind: ExampleKind) -> [InputDamage] {
        guard kind.inputShape.count == 3 else { return [.gaussian] }
        // Without a darkest and a brightest pixel there is nothing for impulses to be.
        return allCases.filter { $0 != .impulse || InputUnits(split, of: kind).ranges != nil }
    }

    /// What the severities 1 to 5 are: σ, a share, c or b.
    public func strengths(of kind: ExampleKind) -> [Double] {
        switch self {
        case .gaussian where kind.inputShape.count != 3: [0.1, 0.2, 0.3, 0.5, 1]
        case .gaussian: Corruption.deviations
        case .impulse: [0.01, 0.02, 0.03, 0.05, 0.07]
        case .blur: Corruption.blurs
        case .contrast: Corruption.contrasts
        case .brightness: [0.05, 0.1, 0.15, 0.2, 0.3]
        }
    }

    /// Accuracy and loss of a classifier on damaged inputs.
    ///
    /// - Parameter severity: 1 to 5.
    /// - Throws: `TorchError`; ``TrainingStopped`` where a stop was asked for.
    public func measure(
        severity: Int, _ model: any Module, on split: DataSplit, of kind: ExampleKind, key: NoiseKey
    ) throws -> Evaluation {
        precondition((1...5).contains(severity))
        let strength = strengths(of: kind)[severity - 1]
        let shape = kind.inputShape
        let key = key.derived("damage").derived(rawValue)
        if self == .gaussian, shape.count != 3 {
            return try Self.measure(sigma: strength, model, on: split, of: kind, key: key)
        }
        let ranges = InputUnits(split, of: kind).ranges
        return try Self.measure(model, on: split, of: kind) { image, example in
            switch self {
            case .gaussian:
                Corruption(gaussian: severity).apply(
                    to: image, shape: shape, ranges: ranges, key: key, epoch: 0, example: example)
            case .blur:
                Corruption(blur: severity).apply(
                    to: image, shape: shape, ranges: ranges, key: key, epoch: 0, example: example)
            case .contrast:
                Corruption(contrast: severity).apply(
                    to: image, shape: shape, ranges: ranges, key: key, epoch: 0, example: example)
            case .impulse:
                let own = key.derived(UInt64(example))
                let pixels = shape[1] * shape[2]
                for place in image.indices {
                    let counter = UInt64(place)
                    guard own.uniform(counter) < strength, let range = ranges?[place / pixels] else {
                        continue
                    }
                    // A bit that the share has not been drawn from.
                    image[place] = own.word(counter) & 1 == 0 ? range.lowerBound : range.upperBound
                }
            case .brightness:
                let pixels = shape[1] * shape[2]
                for place in image.indices {
                    let range = ranges?[place / pixels]
                    let unit = range.map { $0.upperBound - $0.lowerBound } ?? 1
                    image[place] += Float(strength) * unit
                    if let range { image[place] = min(image[place], range.upperBound) }
                }
            }
        }
    }

    /// Accuracy and loss of a classifier on inputs with Gaussian noise x + σξ.
    ///
    /// - Parameters:
    ///   - sigma: σ in ``InputUnits``, ≥ 0.
    ///   - staysInRange: whether pixels stay within 0...1.
    public static func measure(
        sigma: Double, staysInRange: Bool = true, _ model: any Module, on split: DataSplit,
        of kind: ExampleKind, key: NoiseKey
    ) throws -> Evaluation {
        let ranges = InputUnits(split, of: kind).ranges
        let key = key.derived("inputNoise")
        return try measure(model, on: split, of: kind) { input, example in
            let planes = ranges?.count ?? 1
            let size = input.count / planes
            for plane in 0..<planes {
                let own = UnsafeMutableBufferPointer(rebasing: input[plane * size..<(plane + 1) * size])
                let range = ranges?[plane]
                let unit = range.map { Double($0.upperBound - $0.lowerBound) } ?? 1
                var span = own.mutableSpan
                NoiseStream(key: key, step: plane, parameter: example, term: 0)
                    .add(.normal, scale: sigma * unit, to: &span)
                guard staysInRange, let range else { continue }
                for place in own.indices {
                    own[place] = min(max(own[place], range.lowerBound), range.upperBound)
                }
            }
        }
    }

    private static func measure(
        _ model: any Module, on split: DataSplit, of kind: ExampleKind,
        damaging damage: (_ input: UnsafeMutableBufferPointer<Float>, _ example: Int) -> Void
    ) throws -> Evaluation {
        try Evaluation.measure(model, on: split, of: kind) { batch, positions in
            let inputs = batch.inputs.moved(to: .cpu)
            inputs.withUnsafeMutableBytes { bytes in
                let values = bytes.bindMemory(to: Float.self)
                let size = values.count / max(1, positions.count)
                for (place, example) in positions.enumerated() {
                    damage(.init(rebasing: values[place * size..<(place + 1) * size]), example)
                }
            }
            return inputs.moved(to: batch.inputs.device)
        }
    }
}
