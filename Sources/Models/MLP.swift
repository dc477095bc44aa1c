import Datasets
import Torch
import TorchNN

/// Layers of linear maps with a function between them: h ← f(W·h + b), and a last W·h + b.
///
/// Inputs of any shape are flattened. The module is the `torch.nn.Sequential` of `Flatten`, and per hidden
/// layer `Linear`, `BatchNorm1d` (where asked for), the activation, `SigmaConditioning` (where asked for), `Dropout`
/// (where p > 0); then `Linear`. With `noisySigma` the linear layers are `NoisyLinear`.
///
/// ```swift
/// let model = try MLP(hidden: [64]).build(input: [1, 8, 8], classes: 10, seed: 1)
/// ```
public struct MLP: ModelArchitecture, Hashable {
    /// The sizes of the hidden layers; none makes the model linear.
    public var hidden: [Int]
    public var activation: Activation
    /// In 0..<1.
    public var dropout: Double
    public var batchNorm: Bool
    /// σ₀ of the noisy layers that take the linear ones' place; 0: plain linear layers.
    public var noisySigma: Double
    /// Whether the hidden layers are told σ(t), by `SigmaConditioning`.
    public var conditioned: Bool
    public var initialiser: Initialiser

    public init(
        hidden: [Int] = [128], activation: Activation = .relu, dropout: Double = 0, batchNorm: Bool = false,
        noisySigma: Double = 0, conditioned: Bool = false, initialiser: Initialiser = .standard
    ) {
        self.hidden = hidden
        self.activation = activation
        self.dropout = dropout
        self.batchNorm = batchNorm
        self.noisySigma = noisySigma
        self.conditioned = conditioned
        self.initialiser = initialiser
    }

    public init() { self.init(hidden: [128]) }

    private enum CodingKeys: String, CodingKey {
        case hidden, activation, dropout, batchNorm, noisySigma, conditioned, initialiser
    }

    public init(from decoder: any Decoder) throws {
        let settings = try Settings(decoder, keyedBy: CodingKeys.self)
        let defaults = Self()
        hidden = try settings.sizes(.hidden, default: defaults.hidden, atLeast: 0)
        activation = try settings.value(.activation, default: defaults.activation)
        dropout = try settings.probability(.dropout, default: defaults.dropout)
        batchNorm = try settings.value(.batchNorm, default: defaults.batchNorm)
        noisySigma = try settings.magnitude(.noisySigma, default: defaults.noisySigma)
        conditioned = try settings.value(.conditioned, default: defaults.conditioned)
        initialiser = try settings.value(.initialiser, default: defaults.initialiser)
    }

    public static let entry = ModelEntry(
        name: "mlp", summary: "A multi-layer perceptron, for inputs of any shape",
        equation: "h ← f(W·h + b) per hidden layer; logits = W·h + b",
        parameters: [
            .init(
                "hidden", type: "list of whole numbers", default: "[128]",
                allowed: "0 to 100 numbers from 1 to 1000000",
                meaning: "the sizes of the hidden layers"),
            .activation, .dropout, .batchNorm, .noisySigma, .conditioned, .initialiser,
        ],
        source: "Rumelhart, Hinton and Williams 1986, Learning representations by back-propagating errors")

    public func build(for kind: ExampleKind, seed: UInt64) throws -> any Module {
        let shape = try kind.numbers(for: "mlp")
        let classes = try kind.classes(for: "mlp")
        var layers: [any Module] = [Flatten()]
        var inputs = shape.reduce(1, *)
        // A layer's place decides its seed, so that equal layers differ.
        func layerSeed() -> UInt64 { derivedSeed(seed, String(layers.count)) }
        for units in hidden {
            layers.append(try linear(inputs, units, noisySigma, initialiser, seed: layerSeed()))
            if batchNorm { layers.append(try BatchNorm(units, .vectors)) }
            layers.append(activation)
            if conditioned { layers.append(try SigmaConditioning(units)) }
            if dropout > 0 { layers.append(Dropout(dropout)) }
            inputs = units
        }
        layers.append(try linear(inputs, classes, noisySigma, initialiser, seed: layerSeed()))
        return Sequential(layers)
    }
}

/// A linear layer, noisy where σ₀ is not 0.
func linear(
    _ inputs: Int, _ outputs: Int, _ noisySigma: Double, _ initialiser: Initialiser, seed: UInt64
) throws(TorchError) -> any Module {
    noisySigma > 0
        ? try NoisyLinear(inputs, outputs, sigma: noisySigma, initialiser: initialiser, seed: seed)
        : try Linear(inputs, outputs, initialiser: initialiser, seed: seed)
}
