import Torch
import TorchNN

/// Linear layers with an activation between each two: what all agents here think with.
///
/// Its weights are named as those of PyTorch's `nn.Sequential(Linear, activation, Linear, …)`: `0.weight`, `2.weight`.
public struct Perceptron: Module {
    /// A layer's sizes and place, for those who choose what it is made of.
    public struct Place: Sendable {
        public var inputs: Int
        public var outputs: Int
        /// Whether it is the last layer.
        public var isLast: Bool
        /// For its first weights.
        public var seed: UInt64
    }

    private let layers: Sequential
    /// The weights of plain layers and the activation between them, for one operation; nil where there are others.
    private let plain: (weights: TensorList, activation: Tensor.PerceptronActivation)?

    /// - Parameters:
    ///   - sizes: of the input, the hidden layers and the output: at least two.
    ///   - layer: makes a layer; `Linear` with PyTorch's first weights unless told.
    /// - Throws: what `layer` throws.
    public init(
        _ sizes: [Int], activation: Activation, seed: UInt64,
        layer: (Place) throws -> any Module = { try Linear($0.inputs, $0.outputs, seed: $0.seed) }
    ) rethrows {
        precondition(sizes.count >= 2, "a perceptron has an input and an output; the sizes are \(sizes)")
        var modules: [any Module] = []
        for position in 1..<sizes.count {
            if position > 1 { modules.append(activation) }
            let place = Place(
                inputs: sizes[position - 1], outputs: sizes[position], isLast: position == sizes.count - 1,
                seed: derivedSeed(seed, "\(modules.count)"))
            modules.append(try layer(place))
        }
        layers = Sequential(modules)
        plain = Self.plain(modules, activation)
    }

    private static func plain(
        _ modules: [any Module], _ activation: Activation
    ) -> (weights: TensorList, activation: Tensor.PerceptronActivation)? {
        let fused: Tensor.PerceptronActivation
        switch activation {
        case .relu: fused = .relu
        case .tanh: fused = .tanh
        case .gelu, .sigmoid, .silu: return nil
        }
        var weights: [Tensor] = []
        for module in modules where !(module is Activation) {
            guard let layer = module as? Linear, let bias = layer.bias else { return nil }
            weights += [layer.weight, bias]
        }
        return (TensorList(weights), fused)
    }

    public var children: [NamedModule] { layers.children }

    public func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        guard let plain else { return layers.forward(x, context) }
        return x.perceptron(plain.weights, plain.activation)
    }

    /// What the last layer sees: all layers but the last on x [n, inputs].
    public func features(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        var x = x
        for (position, module) in layers.modules.dropLast().enumerated() {
            x = module.forward(x, context.entering(position))
        }
        return x
    }

    /// The last layer on what ``features(_:_:)`` gave.
    public func head(_ features: Tensor, _ context: ForwardContext) -> Tensor {
        let last = layers.modules.count - 1
        return layers.modules[last].forward(features, context.entering(last))
    }
}
