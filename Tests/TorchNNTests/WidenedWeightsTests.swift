import Testing
import Torch
import TorchNN

/// bfloat16 weights beside float32 inputs: the layer in float32 on the same numbers, to the bit, with gradients in the
/// weights' type.
@Suite struct WidenedWeightsTests {
    private static let names = [
        "linear", "perceptron", "transposed", "convolution", "layer norm", "batch norm", "embedding",
        "attention", "lstm", "gru", "noisy",
    ]

    private static func layer(_ name: String) throws -> (module: any Module, input: Tensor) {
        let rows = try Tensor.normal([6, 8], seed: 1)
        let sequence = try Tensor.normal([3, 5, 8], seed: 2)
        return switch name {
        case "linear": (try Linear(8, 4, seed: 3), rows)
        case "perceptron":
            (Sequential(try Linear(8, 7, seed: 3), Activation.relu, try Linear(7, 4, seed: 4)), rows)
        case "transposed": (try TransposedLinear(8, 4, seed: 3), sequence)
        case "convolution": (try Conv2d(2, 3, kernel: 3, seed: 3), try .normal([4, 2, 6, 6], seed: 1))
        case "layer norm": (try LayerNorm([8]), sequence)
        case "batch norm": (try BatchNorm(2, .images), try .normal([4, 2, 6, 6], seed: 1))
        case "embedding": (try Embedding(5, 8, seed: 3), try Tensor([0, 3, 1, 4, 4, 2], shape: [2, 3]))
        case "attention": (try MultiheadAttention(8, heads: 2, causal: true, seed: 3), sequence)
        case "lstm": (try Recurrent(.lstm, 8, 6, layers: 2, seed: 3), sequence)
        case "gru": (try Recurrent(.gru, 8, 6, layers: 2, seed: 3), sequence)
        default: (try NoisyLinear(8, 4, seed: 3), rows)
        }
    }

    @Test(arguments: names) func equalTheSameNumbersInFloat32(name: String) throws {
        let (narrow, input) = try Self.layer(name)
        let (wide, _) = try Self.layer(name)
        for tensor in wide.allWeights.map(\.tensor) {
            tensor.copy(from: tensor.detached().converted(to: .bfloat16))
        }
        try narrow.convertWeights(to: .bfloat16)
        #expect(narrow.allWeights.allSatisfy { $0.tensor.dtype == .bfloat16 })
        #expect(narrow.buffers.allSatisfy { $0.tensor.dtype != .bfloat16 })
        // The noise of a noisy layer is drawn in its weights' type.
        let isTraining = name != "noisy"
        let context = ForwardContext(training: isTraining, seed: 5)
        let (a, b) = (narrow.forward(input, context), wide.forward(input, context))
        #expect(a.dtype == .float32)
        #expect(try a.detached().array(of: Float.self) == b.detached().array(of: Float.self))
        for scores in [a, b] { try scores.squared().mean().backward() }
        for (own, other) in zip(narrow.parameters, wide.parameters) {
            guard let expected = other.tensor.gradient else { continue }
            let gradient = try #require(own.tensor.gradient, "\(own.name)")
            #expect(gradient.dtype == .bfloat16)
            #expect(
                try gradient.converted(to: .float32).array(of: Float.self)
                    == expected.converted(to: .bfloat16).converted(to: .float32).array(of: Float.self),
                "\(own.name)")
        }
        // In training a noisy layer takes them, too, and so does every layer under autocast.
        let noisy = narrow.forward(input, ForwardContext(training: true, seed: 5))
        let cast = withBFloat16Autocast { narrow.forward(input, context) }.converted(to: .float32)
        #expect(noisy.detached().sum().item().isFinite)
        #expect((cast - b).absolute().max().item() < 0.1)
    }
}
