import Foundation
import Safetensors
import TestSupport
import Testing
import Torch
import TorchNN

/// The layers that are noisy in training, against closed forms and PyTorch.
@Suite struct NoisyLayersTests {
    private func floats(_ tensor: Tensor) throws -> [Float] { try tensor.detached().array() }
    private func training(_ seed: UInt64, sigma: Double = 0) -> ForwardContext {
        ForwardContext(training: true, seed: seed, sigma: sigma)
    }

    // MARK: NEFTune

    /// ‖noise‖² is α²/3 in expectation for every sequence, by its true length, and no element is above α/√(L·d).
    @Test func neftuneNorms() throws {
        let (width, positions, alpha) = (64, 40, 5.0)
        let lengths = [1, 7, 40, 20]
        let indices = lengths.flatMap { length in (0..<positions).map { $0 < length ? 1 + $0 % 9 : 0 } }
        let x = try Tensor(indices, shape: [lengths.count, positions])
        let layer = NEFTune(try Embedding(10, width, padding: 0, seed: 3), alpha: alpha)
        let plain = try floats(layer.forward(x, .evaluation))
        #expect(plain == (try floats(layer.embedding.forward(x, .evaluation))))
        let rounds = 200
        var squares = [Double](repeating: 0, count: lengths.count)
        for seed in 0..<UInt64(rounds) {
            let noisy = try floats(layer.forward(x, training(seed)))
            for (row, length) in lengths.enumerated() {
                let bound = alpha / Double(length * width).squareRoot()
                for position in 0..<positions {
                    for i in 0..<width {
                        let at = (row * positions + position) * width + i
                        let noise = Double(noisy[at]) - Double(plain[at])
                        if position >= length { #expect(noise == 0) }
                        if abs(noise) > bound * 1.001 + 1e-6 { Issue.record("\(noise) above \(bound)") }
                        squares[row] += noise * noise
                    }
                }
            }
        }
        for (row, length) in lengths.enumerated() {
            let mean = squares[row] / Double(rounds)
            let expected = alpha * alpha / 3
            // A uniform square has mean 1/3 and variance 4/45.
            let count = Double(length * width * rounds)
            let error = alpha * alpha * (4.0 / 45 / count).squareRoot()
            #expect(abs(mean - expected) < 5 * error, "length \(length): \(mean), not \(expected) ± \(error)")
        }
    }

    /// Without a padding row every position counts; a sequence alone needs no batch; the mean over seeds is the plain
    /// embedding; the weights keep the embedding's names and get its gradients.
    @Test func neftuneWithoutPadding() throws {
        let layer = NEFTune(try Embedding(10, 8, seed: 3), alpha: 5)
        #expect(layer.parameters.map(\.name) == ["weight"])
        let x = try Tensor([4, 2, 4, 1, 0] as [Int])
        let plain = try floats(layer.forward(x, .evaluation))
        let bound = Float(5 / (5.0 * 8).squareRoot())
        var largest: Float = 0
        for seed in 0..<50 as Range<UInt64> {
            let noise = zip(try floats(layer.forward(x, training(seed))), plain).map { $0 - $1 }
            largest = max(largest, noise.map(abs).max()!)
        }
        #expect(largest < bound * 1.0001 && largest > bound * 0.98)
        #expect(try floats(layer.forward(x, training(1))) == floats(layer.forward(x, training(1))))
        #expect(try floats(layer.forward(x, training(1))) != floats(layer.forward(x, training(2))))
        try layer.forward(x, training(1)).sum().backward()
        let gradient = try floats(#require(layer.embedding.weight.gradient))
        #expect(
            gradient == (0..<10).flatMap { [Float](repeating: [1, 1, 1, 0, 2, 0, 0, 0, 0, 0][$0], count: 8) })
    }

    /// Padding alone makes no NaN, and α = 0 is exact.
    @Test func neftuneEdges() throws {
        let embedding = try Embedding(4, 3, padding: 2, seed: 1)
        let x = try Tensor([2, 2, 2] as [Int], shape: [1, 3])
        #expect(try floats(NEFTune(embedding).forward(x, training(1))) == [Float](repeating: 0, count: 9))
        let y = try Tensor([0, 1, 3] as [Int])
        #expect(
            try floats(NEFTune(embedding, alpha: 0).forward(y, training(1)))
                == floats(embedding.forward(y, training(1))))
    }

    // MARK: NoisyLinear

    @Test func noisyLinearStartsAsThePaperSays() throws {
        let layer = try NoisyLinear(16, 5, seed: 2)
        #expect(layer.parameters.map(\.name) == ["weight_mu", "weight_sigma", "bias_mu", "bias_sigma"])
        #expect(try floats(layer.weightSigma) == [Float](repeating: 0.125, count: 80))
        #expect(try floats(layer.biasSigma) == [Float](repeating: 0.125, count: 5))
        #expect(try floats(layer.weightMean).allSatisfy { abs($0) <= 0.25 })
        #expect(try floats(layer.biasMean).allSatisfy { abs($0) <= 0.25 })
    }

    /// Mean M·x + m and variance (2/π)·S²·x² + √(2/π)·s² over the noise; exact in evaluation.
    @Test func noisyLinearMoments() throws {
        let (inputs, outputs, rounds) = (6, 4, 20_000)
        let layer = try NoisyLinear(inputs, outputs, sigma: 0.8, seed: 5)
        withoutGradients {
            try? layer.weightSigma.fillUniform(low: 0.1, high: 1, seed: 6)
            try? layer.biasSigma.fillUniform(low: 0.1, high: 1, seed: 7)
        }
        let x = try Tensor.normal([1, inputs], seed: 8)
        let mean = try floats(x.linear(layer.weightMean, layer.biasMean)).map(Double.init)
        #expect(try floats(layer.forward(x, .evaluation)).map(Double.init) == mean)
        let (s, b, v) = (
            try floats(layer.weightSigma).map(Double.init), try floats(layer.biasSigma).map(Double.init),
            try floats(x).map(Double.init)
        )
        var sums = [Double](repeating: 0, count: outputs)
        var squares = sums
        try withoutGradients {
            for seed in 0..<UInt64(rounds) {
                for (j, y) in try floats(layer.forward(x, training(seed))).enumerated() {
                    sums[j] += Double(y) - mean[j]
                    squares[j] += (Double(y) - mean[j]) * (Double(y) - mean[j])
                }
            }
        }
        for j in 0..<outputs {
            let variance =
                2 / Double.pi
                * (0..<inputs).reduce(0) { $0 + s[j * inputs + $1] * s[j * inputs + $1] * v[$1] * v[$1] }
                + (2 / Double.pi).squareRoot() * b[j] * b[j]
            #expect(abs(sums[j] / Double(rounds)) < 5 * (variance / Double(rounds)).squareRoot())
            // The kurtosis of these products is below 10.
            #expect(
                abs(squares[j] / Double(rounds) - variance) < 5 * variance * (9 / Double(rounds)).squareRoot()
            )
        }
    }

    /// Output and gradients equal those of the usual implementation, which makes the noisy weight, on the same noise.
    @Test func noisyLinearEqualsPyTorch() throws {
        let directory = try TemporaryDirectory()
        let layer = try NoisyLinear(7, 3, seed: 4)
        let x = try Tensor.normal([5, 7], seed: 9).requiringGradient()
        let cotangent = try Tensor.normal([5, 3], seed: 10)
        let context = training(21)
        let noise = layer.noise(context)
        var sources = layer.stateSources(prefix: "state.")
        sources += [
            TensorSource("x", x), TensorSource("cotangent", cotangent), TensorSource("in", noise.inputs),
            TensorSource("out", noise.outputs),
        ]
        try SafetensorsFile.write(sources, to: directory.file("given"))
        let script = """
            import sys, torch, torch.nn as nn, torch.nn.functional as F
            from safetensors.torch import load_file, save_file
            class NoisyLinear(nn.Module):
                def __init__(self, i, o):
                    super().__init__()
                    self.weight_mu = nn.Parameter(torch.empty(o, i)); self.weight_sigma = nn.Parameter(torch.empty(o, i))
                    self.bias_mu = nn.Parameter(torch.empty(o)); self.bias_sigma = nn.Parameter(torch.empty(o))
                def forward(self, x):
                    weight = self.weight_mu + self.weight_sigma * torch.outer(self.out, self.inp)
                    return F.linear(x, weight, self.bias_mu + self.bias_sigma * self.out)
            given = load_file(sys.argv[1])
            layer = NoisyLinear(7, 3)
            layer.load_state_dict({k[6:]: v for k, v in given.items() if k.startswith("state.")}, strict=True)
            layer.inp, layer.out = given["in"], given["out"]
            x = given["x"].requires_grad_()
            y = layer(x)
            (y * given["cotangent"]).sum().backward()
            result = {"y": y.detach(), "x": x.grad} | {k: p.grad for k, p in layer.named_parameters()}
            save_file({k: v.contiguous() for k, v in result.items()}, sys.argv[2])
            """
        _ = try ParityPython.run(script, directory.file("given").path, directory.file("result").path)
        let y = layer.forward(x, context)
        try (y * cotangent).sum().backward()
        let expected = try SafetensorsFile(contentsOf: directory.file("result"))
        var actual = [NamedTensor("y", y), NamedTensor("x", try #require(x.gradient))]
        actual += try layer.parameters.map { NamedTensor($0.name, try #require($0.tensor.gradient)) }
        for tensor in actual {
            let wanted = try expected.tensor(tensor.name).floats()
            for (a, b) in zip(try floats(tensor.tensor), wanted) {
                #expect(abs(a - b) < 1e-5 * (1 + abs(b)), "\(tensor.name): \(a), PyTorch \(b)")
            }
        }
    }

    // MARK: σ-conditioning

    @Test func conditioningIsTheFormula() throws {
        let layer = try SigmaConditioning(3)
        let x = try Tensor.normal([2, 3, 4, 5], seed: 1)
        // A new layer changes nothing, whatever it is told.
        #expect(try floats(layer.forward(x, training(1, sigma: 0.5))) == floats(x))
        try layer.weight.fillNormal(mean: 0, deviation: 1, seed: 2)
        // Without noise no layer ever does.
        #expect(try floats(layer.forward(x, .evaluation)) == floats(x))
        #expect(try floats(layer.forward(x, training(1))) == floats(x))
        let w = try floats(layer.weight).map(Double.init)
        for sigma in [0.001, 0.3, 4] {
            let phi = (0..<8).map { 1 - exp(-sigma * pow(2, Double($0))) }
            func row(_ r: Int) -> Double { (0..<8).reduce(0) { $0 + w[r * 8 + $1] * phi[$1] } }
            let y = try floats(layer.forward(x, training(1, sigma: sigma)))
            for (at, value) in try floats(x).enumerated() {
                let channel = at / 20 % 3
                let expected = Double(value) * (1 + row(channel)) + row(3 + channel)
                #expect(abs(Double(y[at]) - expected) < 1e-5 * (1 + abs(expected)))
            }
        }
    }

    /// The context's σ reaches every layer of a model, and gradients its weights.
    @Test func conditioningInAModel() throws {
        let model = Sequential(
            try Linear(4, 6, seed: 1), Activation.relu, try SigmaConditioning(6), try Linear(6, 2, seed: 2))
        #expect(model.parameters.map(\.name) == ["0.weight", "0.bias", "2.weight", "3.weight", "3.bias"])
        let x = try Tensor.normal([8, 4], seed: 3)
        try model.forward(x, training(1, sigma: 0.2)).squared().sum().backward()
        let gradient = try floats(#require(model.parameters[2].tensor.gradient))
        #expect(gradient.contains { $0 != 0 })
        #expect(training(1, sigma: 0.2).entering("a").entering(3).sigma == 0.2)
    }
}
