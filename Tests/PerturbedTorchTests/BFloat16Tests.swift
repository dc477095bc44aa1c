import PerturbedEquations
import PerturbedTorch
import Testing
import Torch
import TorchNN

/// A module of bfloat16 weights, trained through libtorch's own backward pass.
@Suite struct BFloat16Tests {
    /// Least squares on a plane, with weights, activations and gradients in bfloat16.
    static func train(_ equation: PerturbedEquation, steps: Int) throws -> (losses: [Double], bytes: [UInt8])
    {
        let layer = try Linear(4, 1, seed: 1, dtype: .bfloat16)
        let x = try Tensor.normal([64, 4], seed: 2)
        let truth = try Tensor([0.5, -1, 0.25, 2] as [Float], shape: [1, 4])
        let y = (x.linear(truth, nil) + 0.125).converted(to: .bfloat16)
        let inputs = x.converted(to: .bfloat16)
        let optimizer = try ModelOptimizer(layer, equation: equation, seed: 3)
        var losses: [Double] = []
        for _ in 0..<steps {
            optimizer.zeroGradients()
            let loss = Loss.meanSquaredError(layer.forward(inputs, .evaluation), y)
            try loss.backward()
            losses.append(loss.item())
            try optimizer.step()
        }
        var bytes: [UInt8] = []
        for parameter in layer.parameters {
            parameter.tensor.withUnsafeMutableBytes { bytes += $0 }
        }
        return (losses, bytes)
    }

    @Test func aModuleTrains() throws {
        let equation = PerturbedEquation(
            rule: Momentum(learningRate: 0.01), perturbation: Gaussian(sigma: .relative(0.1)))
        let (losses, bytes) = try Self.train(equation, steps: 150)
        #expect(losses[0] > 1 && losses[149] < 0.01, "\(losses[0]) to \(losses[149])")
        #expect(try Self.train(equation, steps: 150).bytes == bytes)
    }

    /// Steps far below the spacing of bfloat16 move the weights in the mean, unless they are rounded to nearest.
    @Test func tinyStepsNeedStochasticRounding() throws {
        func change(_ rounding: Rounding) throws -> Double {
            let equation = PerturbedEquation(rule: SGD(learningRate: 2e-5), rounding: rounding)
            let losses = try Self.train(equation, steps: 400).losses
            return losses[399] - losses[0]
        }
        #expect(try change(.nearest) == 0)
        #expect(try change(.stochastic) < 0)
    }

    @Test func otherTypesAreRefused() throws {
        struct Odd: Module {
            let tensor: Tensor
            var ownParameters: [NamedTensor] { [NamedTensor("odd", tensor)] }
            func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor { x }
        }
        let error = try #require(throws: ConfigurationError.self) {
            try ModelOptimizer(
                Odd(tensor: .zeros([2], dtype: .int64)), equation: PerturbedEquation(rule: Adam()), seed: 1)
        }
        #expect(error.path == "odd" && error.message.contains("bfloat16"))
    }
}
