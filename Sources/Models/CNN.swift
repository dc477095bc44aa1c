import Datasets
import Torch
import TorchNN

/// Convolutions that keep the image's size, each followed by a function and a pooling that halves it; then
/// one hidden linear layer.
///
/// The module is the `torch.nn.Sequential` of, per block, `Conv2d` (padding kernel/2), `BatchNorm2d` (where
/// asked for), the activation, `MaxPool2d(2)`; then `Flatten`, `Linear`, the activation, `Dropout` (where
/// p > 0), `Linear`. With `noisySigma` the linear layers are `NoisyLinear`; with `conditioned` a `SigmaConditioning`
/// follows each activation.
///
/// ```swift
/// let model = try CNN(channels: [32, 64], hidden: 128).build(input: [1, 28, 28], classes: 10, seed: 1)
/// print(model.parameterCount)  // 421642
/// ```
public struct CNN: ModelArchitecture, Hashable {
    /// The channels of each block.
    public var channels: [Int]
    /// The height and width of the convolutions' windows; odd.
    public var kernel: Int
    /// The units of the hidden linear layer.
    public var hidden: Int
    public var activation: Activation
    /// Before the last layer; in 0..<1.
    public var dropout: Double
    public var batchNorm: Bool
    /// σ₀ of the noisy layers that take the linear ones' place; 0: plain linear layers.
    public var noisySigma: Double
    /// Whether the hidden layers are told σ(t), by `SigmaConditioning`.
    public var conditioned: Bool
    public var initialiser: Initialiser

    public init(
        channels: [Int] = [32, 64], kernel: Int = 3, hidden: Int = 128, activation: Activation = .relu,
        dropout: Double = 0, batchNorm: Bool = false, noisySigma: Double = 0, conditioned: Bool = false,
        initialiser: Initialiser = .standard
    ) {
        self.channels = channels
        self.kernel = kernel
        self.hidden = hidden
        self.activation = activation
        self.dropout = dropout
        self.batchNorm = batchNorm
        self.noisySigma = noisySigma
        self.conditioned = conditioned
        self.initialiser = initialiser
    }

    public init() { self.init(channels: [32, 64]) }

    private enum CodingKeys: String, CodingKey {
        case channels, kernel, hidden, activation, dropout, batchNorm, noisySigma, conditioned, initialiser
    }

    public init(from decoder: any Decoder) throws {
        let settings = try Settings(decoder, keyedBy: CodingKeys.self)
        let defaults = Self()
        channels = try settings.sizes(.channels, default: defaults.channels, atLeast: 1)
        kernel = try settings.value(.kernel, default: defaults.kernel)
        guard (1...31).contains(kernel), !kernel.isMultiple(of: 2) else {
            throw settings.refuse(.kernel, "kernel is \(kernel); allowed: an odd number from 1 to 31")
        }
        hidden = try settings.size(.hidden, default: defaults.hidden)
        activation = try settings.value(.activation, default: defaults.activation)
        dropout = try settings.probability(.dropout, default: defaults.dropout)
        batchNorm = try settings.value(.batchNorm, default: defaults.batchNorm)
        noisySigma = try settings.magnitude(.noisySigma, default: defaults.noisySigma)
        conditioned = try settings.value(.conditioned, default: defaults.conditioned)
        initialiser = try settings.value(.initialiser, default: defaults.initialiser)
    }

    public static let entry = ModelEntry(
        name: "cnn", summary: "A convolutional network, for images",
        equation: "x ← maxpool₂(f(K∗x + b)) per block; logits = W·f(W·x + b) + b",
        parameters: [
            .init(
                "channels", type: "list of whole numbers", default: "[32, 64]",
                allowed: "1 to 100 numbers from 1 to 1000000; each block halves the image",
                meaning: "the channels of each block"),
            .init(
                "kernel", type: "whole number", default: "3", allowed: "odd, 1 to 31",
                meaning: "the height and width of the convolutions' windows"),
            .init(
                "hidden", type: "whole number", default: "128", allowed: "1 to 1000000",
                meaning: "the units of the hidden linear layer"),
            .activation, .dropout, .batchNorm, .noisySigma, .conditioned, .initialiser,
        ],
        source: "LeCun and others 1998, Gradient-based learning applied to document recognition")

    public func build(for kind: ExampleKind, seed: UInt64) throws -> any Module {
        var (inputs, height, width) = try kind.image(for: "cnn")
        let classes = try kind.classes(for: "cnn")
        let blocks = min(height, width).bitWidth - 1 - min(height, width).leadingZeroBitCount
        guard channels.count <= blocks else {
            throw ModelError(
                code: .imageTooSmall,
                message:
                    "cnn: an image of \(height)×\(width) can be halved \(blocks) times, but channels has "
                    + "\(channels.count) numbers, each of which halves it; allowed: at most \(blocks)")
        }

        var layers: [any Module] = []
        // A layer's place decides its seed, so that equal layers differ.
        func layerSeed() -> UInt64 { derivedSeed(seed, String(layers.count)) }
        for outputs in channels {
            layers.append(
                try Conv2d(
                    inputs, outputs, kernel: Extent(kernel, kernel), padding: Extent(kernel / 2, kernel / 2),
                    initialiser: initialiser, seed: layerSeed()))
            if batchNorm { layers.append(try BatchNorm(outputs, .images)) }
            layers.append(activation)
            if conditioned { layers.append(try SigmaConditioning(outputs)) }
            layers.append(MaxPool2d(2))
            (inputs, height, width) = (outputs, height / 2, width / 2)
        }
        layers.append(Flatten())
        layers.append(
            try linear(inputs * height * width, hidden, noisySigma, initialiser, seed: layerSeed()))
        layers.append(activation)
        if conditioned { layers.append(try SigmaConditioning(hidden)) }
        if dropout > 0 { layers.append(Dropout(dropout)) }
        layers.append(try linear(hidden, classes, noisySigma, initialiser, seed: layerSeed()))
        return Sequential(layers)
    }
}
