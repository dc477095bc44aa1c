import Foundation
import Safetensors
import TestSupport
import Torch
import TorchNN

/// One layer or loss, here and as PyTorch spells it.
struct ParityCase {
    var name: String
    /// The same module in PyTorch.
    var python: String
    var module: any Module
    var input: Tensor
    /// For a loss: what is compared with the module's output.
    var loss: (function: Loss, python: String, target: Tensor)?
    var training = true

    static func all() throws -> [ParityCase] {
        let images = try Tensor.normal([4, 6, 9, 7], seed: 11)
        let vectors = try Tensor.normal([5, 8], seed: 12)
        func batchNorm(_ channels: Int, _ input: BatchNorm.Input) throws -> BatchNorm {
            let layer = try BatchNorm(channels, input)
            try layer.weight.fillNormal(mean: 1, deviation: 0.3, seed: 21)
            try layer.bias.fillNormal(mean: 0, deviation: 1, seed: 22)
            try layer.runningMean.fillNormal(mean: 0, deviation: 1, seed: 23)
            try layer.runningVariance.fillUniform(low: 0.5, high: 2, seed: 24)
            return layer
        }
        let layerNorm = try LayerNorm([9, 7])
        try layerNorm.weight.fillNormal(mean: 1, deviation: 0.3, seed: 25)
        try layerNorm.bias.fillNormal(mean: 0, deviation: 1, seed: 26)
        let words = try Tensor([0, 3, 2, 3, 9, 0] as [Int], shape: [2, 3])

        var cases: [ParityCase] = [
            .init(
                name: "linear", python: "nn.Linear(8, 3)", module: try Linear(8, 3, seed: 1), input: vectors),
            .init(
                name: "linear-no-bias", python: "nn.Linear(7, 3, bias=False)",
                module: try Linear(7, 3, bias: false, seed: 1), input: images),
            .init(
                name: "conv", python: "nn.Conv2d(6, 4, 3, padding=1)",
                module: try Conv2d(6, 4, kernel: 3, padding: 1, seed: 2), input: images),
            .init(
                name: "conv-all-settings",
                python:
                    "nn.Conv2d(6, 4, (3, 2), stride=(2, 1), padding=(2, 1), dilation=(1, 2), groups=2, bias=False)",
                module: try Conv2d(
                    6, 4, kernel: Extent(3, 2), stride: Extent(2, 1), padding: Extent(2, 1),
                    dilation: Extent(1, 2),
                    groups: 2, bias: false, seed: 3), input: images),
            .init(
                name: "conv-one-channel", python: "nn.Conv2d(1, 4, 3)",
                module: try Conv2d(1, 4, kernel: 3, seed: 4),
                input: try .normal([3, 1, 5, 5], seed: 13)),
            .init(
                name: "attention", python: "Attention(12, 3, False)",
                module: try MultiheadAttention(12, heads: 3, seed: 5),
                input: try .normal([2, 5, 12], seed: 14)),
            .init(
                name: "attention-causal", python: "Attention(12, 3, True)",
                module: try MultiheadAttention(12, heads: 3, causal: true, seed: 5),
                input: try .normal([2, 5, 12], seed: 14)),
            .init(name: "max-pool", python: "nn.MaxPool2d(2)", module: MaxPool2d(2), input: images),
            .init(
                name: "max-pool-all-settings",
                python: "nn.MaxPool2d((3, 2), stride=(2, 3), padding=1, dilation=(1, 2), ceil_mode=True)",
                module: MaxPool2d(
                    Extent(3, 2), stride: Extent(2, 3), padding: 1, dilation: Extent(1, 2), roundUp: true),
                input: images),
            .init(name: "average-pool", python: "nn.AvgPool2d(3)", module: AvgPool2d(3), input: images),
            .init(
                name: "average-pool-all-settings",
                python: "nn.AvgPool2d(3, stride=2, padding=1, ceil_mode=True, count_include_pad=False)",
                module: AvgPool2d(3, stride: 2, padding: 1, countPadding: false, roundUp: true), input: images
            ),
            .init(
                name: "adaptive-pool", python: "nn.AdaptiveAvgPool2d((4, 3))",
                module: AdaptiveAvgPool2d(Extent(4, 3)), input: images),
            .init(
                name: "batch-norm-images", python: "nn.BatchNorm2d(6)", module: try batchNorm(6, .images),
                input: images),
            .init(
                name: "batch-norm-vectors", python: "nn.BatchNorm1d(8)", module: try batchNorm(8, .vectors),
                input: vectors),
            .init(
                name: "batch-norm-evaluation", python: "nn.BatchNorm2d(6)", module: try batchNorm(6, .images),
                input: images, training: false),
            .init(name: "layer-norm", python: "nn.LayerNorm([9, 7])", module: layerNorm, input: images),
            .init(
                name: "dropout-evaluation", python: "nn.Dropout(0.4)", module: Dropout(0.4), input: vectors,
                training: false),
            .init(
                name: "embedding", python: "nn.Embedding(10, 4)", module: try Embedding(10, 4, seed: 5),
                input: words),
            .init(
                name: "embedding-padding", python: "nn.Embedding(10, 4, padding_idx=3)",
                module: try Embedding(10, 4, padding: 3, seed: 5), input: words),
            .init(name: "flatten", python: "nn.Flatten()", module: Flatten(), input: images),
            .init(
                name: "sequence",
                python: "nn.Sequential(nn.Conv2d(6, 4, 3), nn.BatchNorm2d(4), nn.GELU(), nn.MaxPool2d(2), "
                    + "nn.Flatten(), nn.Sequential(nn.Linear(24, 5), nn.Tanh()), nn.Linear(5, 2))",
                module: Sequential(
                    try Conv2d(6, 4, kernel: 3, seed: 6), try batchNorm(4, .images), Activation.gelu,
                    MaxPool2d(2),
                    Flatten(), Sequential(try Linear(24, 5, seed: 7), Activation.tanh),
                    try Linear(5, 2, seed: 8)),
                input: images),
        ]
        cases += try sequences()
        let activations: [(Activation, String)] = [
            (.relu, "ReLU"), (.gelu, "GELU"), (.tanh, "Tanh"), (.sigmoid, "Sigmoid"), (.silu, "SiLU"),
        ]
        cases += activations.map {
            .init(name: $0.0.rawValue, python: "nn.\($0.1)()", module: $0.0, input: vectors)
        }

        let labels = try Tensor([0, 7, 3, 3, 1] as [Int])
        let losses: [(String, Loss, String, Tensor)] = [
            ("cross-entropy", .crossEntropy(), "F.cross_entropy(y, t)", labels),
            (
                "cross-entropy-smoothed", .crossEntropy(labelSmoothing: 0.15),
                "F.cross_entropy(y, t, label_smoothing=0.15)", labels
            ),
            (
                "cross-entropy-probabilities", .crossEntropy(), "F.cross_entropy(y, t)",
                try Tensor.normal([5, 8], seed: 14).softmax()
            ),
            ("mean-squared-error", .meanSquaredError, "F.mse_loss(y, t)", try .normal([5, 8], seed: 15)),
            ("mean-absolute-error", .meanAbsoluteError, "F.l1_loss(y, t)", try .normal([5, 8], seed: 15)),
            (
                "binary-cross-entropy", .binaryCrossEntropyWithLogits,
                "F.binary_cross_entropy_with_logits(y, t)",
                try .uniform([5, 8], seed: 16)
            ),
        ]
        cases += try losses.map {
            .init(
                name: $0.0, python: "nn.Linear(8, 8)", module: try Linear(8, 8, seed: 9), input: vectors,
                loss: ($0.1, $0.2, $0.3))
        }
        return cases
    }
}
