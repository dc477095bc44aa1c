import Datasets
import Torch
import TorchNN

/// Residual networks: every block learns what to add to its input.
///
/// With 18 or 34 layers these are the networks for large images: a 7×7 convolution and a pooling that shrink the
/// image four times, then four stages of 64, 128, 256 and 512 channels. With 20, 32, 44, 56 or 110 layers they
/// are those for images of about 32×32: a 3×3 convolution, then three stages of 16, 32 and 64 channels, with shortcuts
/// that have no weights (option A: every second pixel, and zeros for the new channels). Names are torchvision's:
/// `conv1`, `bn1`, `layer1.0.conv1`, …, `layer2.0.downsample.0`, `fc`.
///
/// ```swift
/// let model = try ResNet(layers: 20).build(input: [3, 32, 32], classes: 10, seed: 1)
/// print(model.parameterCount)  // 269722
/// ```
///
/// Source: He, Zhang, Ren and Sun 2016, Deep Residual Learning for Image Recognition.
public struct ResNet: ModelArchitecture, Hashable {
    /// 18, 34; or 20, 32, 44, 56, 110.
    public var layers: Int
    /// The channels of the first stage, each further stage having twice as many; 0: the paper's, 64 or 16.
    public var width: Int
    /// Before the last layer; in 0..<1.
    public var dropout: Double
    /// Of the convolutions; the last layer starts as PyTorch's.
    public var initialiser: Initialiser

    public init(
        layers: Int = 20, width: Int = 0, dropout: Double = 0, initialiser: Initialiser = .kaimingNormal
    ) {
        self.layers = layers
        self.width = width
        self.dropout = dropout
        self.initialiser = initialiser
    }

    public init() { self.init(layers: 20) }

    /// The numbers of blocks of the stages, by the numbers of layers.
    private static let stages: [Int: [Int]] = [
        18: [2, 2, 2, 2], 34: [3, 4, 6, 3],
        20: [3, 3, 3], 32: [5, 5, 5], 44: [7, 7, 7], 56: [9, 9, 9], 110: [18, 18, 18],
    ]
    private static let allowed = stages.keys.sorted().map(String.init).joined(separator: ", ")

    private enum CodingKeys: String, CodingKey { case layers, width, dropout, initialiser }

    public init(from decoder: any Decoder) throws {
        let settings = try Settings(decoder, keyedBy: CodingKeys.self)
        let defaults = Self()
        layers = try settings.value(.layers, default: defaults.layers)
        width = try settings.value(.width, default: defaults.width)
        dropout = try settings.probability(.dropout, default: defaults.dropout)
        initialiser = try settings.value(.initialiser, default: defaults.initialiser)
        guard Self.stages[layers] != nil else {
            throw settings.refuse(.layers, "layers is \(layers); allowed: \(Self.allowed)")
        }
        guard (0...100_000).contains(width) else {
            throw settings.refuse(.width, "width is \(width); allowed: 0 to 100000")
        }
    }

    public static let entry = ModelEntry(
        name: "resnet", summary: "A residual network, for images",
        equation: "x ← f(x + BN(K∗f(BN(K∗x)))) per block; logits = W·mean(x) + b",
        parameters: [
            .init(
                "layers", type: "whole number", default: "20", allowed: allowed,
                meaning:
                    "the layers with weights; 18 and 34 shrink large images first, the others are CIFAR's"),
            .init(
                "width", type: "whole number", default: "0", allowed: "0 to 100000",
                meaning: "the channels of the first stage; 0: the paper's, 64 for large images and else 16"),
            .dropout,
            .init(
                "initialiser", type: "name or mapping", default: "kaimingNormal",
                allowed: ModelEntry.Parameter.initialiser.allowed,
                meaning: "how the convolutions' first weights are drawn"),
        ],
        source: "He and others 2016, Deep residual learning for image recognition")

    public func build(for kind: ExampleKind, seed: UInt64) throws -> any Module {
        let image = try kind.image(for: "resnet")
        let classes = try kind.classes(for: "resnet")
        guard let blocks = Self.stages[layers] else {
            throw ModelError(
                code: .settings, message: "resnet: layers is \(layers); allowed: \(Self.allowed)")
        }
        let isLarge = blocks.count == 4
        let first = width > 0 ? width : isLarge ? 64 : 16
        let stem = try Conv2d(
            image.channels, first, kernel: isLarge ? 7 : 3, stride: isLarge ? 2 : 1, padding: isLarge ? 3 : 1,
            bias: false, initialiser: initialiser, seed: derivedSeed(seed, "conv1"))
        var stages: [Sequential] = []
        var inputs = first
        for (stage, count) in blocks.enumerated() {
            let channels = first << stage
            var list: [any Module] = []
            for block in 0..<count {
                list.append(
                    try ResidualBlock(
                        inputs, channels, stride: stage > 0 && block == 0 ? 2 : 1, learnsShortcut: isLarge,
                        initialiser: initialiser, seed: derivedSeed(seed, "layer\(stage + 1).\(block)")))
                inputs = channels
            }
            stages.append(Sequential(list))
        }
        return ResidualNetwork(
            stem: stem, norm: try BatchNorm(first, .images), pools: isLarge, stages: stages,
            dropout: Dropout(dropout), head: try Linear(inputs, classes, seed: derivedSeed(seed, "fc")))
    }
}

/// Stem, stages, mean over the image, linear layer.
struct ResidualNetwork: Module {
    let stem: Conv2d
    let norm: BatchNorm
    let pools: Bool
    let stages: [Sequential]
    let dropout: Dropout
    let head: Linear

    var children: [NamedModule] {
        [NamedModule("conv1", stem), NamedModule("bn1", norm)]
            + stages.enumerated().map { NamedModule("layer\($0.offset + 1)", $0.element) }
            + [NamedModule("fc", head)]
    }

    func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        var x = norm.forward(stem.forward(x, context), context).relu()
        if pools { x = x.maxPool2d(3, stride: 2, padding: 1) }
        for (number, stage) in stages.enumerated() {
            x = stage.forward(x, context.entering("layer\(number + 1)"))
        }
        let mean = x.adaptiveAveragePool2d(1).flattened(from: 1)
        return head.forward(dropout.forward(mean, context.entering("dropout")), context)
    }
}

/// y = f(s(x) + BN(K∗f(BN(K∗x)))), with s the identity, or what fits x to another size: BN(K₁∗x), or a choice of pixels.
struct ResidualBlock: Module {
    private let first: Conv2d
    private let firstNorm: BatchNorm
    private let second: Conv2d
    private let secondNorm: BatchNorm
    /// BN(K₁∗x).
    private let downsample: Sequential?
    private let newChannels: Int
    private let stride: Int

    init(
        _ inputs: Int, _ outputs: Int, stride: Int, learnsShortcut: Bool, initialiser: Initialiser,
        seed: UInt64
    ) throws(TorchError) {
        let step = Extent(stride, stride)
        first = try Conv2d(
            inputs, outputs, kernel: 3, stride: step, padding: 1, bias: false, initialiser: initialiser,
            seed: derivedSeed(seed, "conv1"))
        firstNorm = try BatchNorm(outputs, .images)
        second = try Conv2d(
            outputs, outputs, kernel: 3, padding: 1, bias: false, initialiser: initialiser,
            seed: derivedSeed(seed, "conv2"))
        secondNorm = try BatchNorm(outputs, .images)
        if learnsShortcut && (stride > 1 || inputs != outputs) {
            downsample = Sequential(
                try Conv2d(
                    inputs, outputs, kernel: 1, stride: step, bias: false, initialiser: initialiser,
                    seed: derivedSeed(seed, "downsample")), try BatchNorm(outputs, .images))
        } else {
            downsample = nil
        }
        self.stride = stride
        newChannels = outputs - inputs
    }

    var children: [NamedModule] {
        [
            NamedModule("conv1", first), NamedModule("bn1", firstNorm), NamedModule("conv2", second),
            NamedModule("bn2", secondNorm),
        ] + (downsample.map { [NamedModule("downsample", $0)] } ?? [])
    }

    func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        let inner = firstNorm.forward(first.forward(x, context), context).relu()
        let branch = secondNorm.forward(second.forward(inner, context), context)
        return (branch + shortcut(x, context)).relu()
    }

    private func shortcut(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        if let downsample { return downsample.forward(x, context) }
        guard stride > 1 || newChannels > 0 else { return x }
        let half = newChannels / 2
        return x.strided(2, by: stride).strided(3, by: stride)
            .padded(1, before: half, after: newChannels - half)
    }
}
