import Datasets
import Foundation
import Models
import PerturbedEquations
import PerturbedTorch
import TestSupport
import Testing
import Torch
import TorchNN
import Training

/// Training with noise shaped by the Hessian's diagonal, of models whose usual kernels have no second derivative.
@Suite struct CurvatureRunTests {
    private static let networks = ["gpt", "transformer", "lstm", "gru", "vit"]

    /// A small network of each kind, with data.
    static func network(_ name: String, dropout: Double = 0) throws -> (
        model: any Module, data: Dataset
    ) {
        var random = SeededGenerator(seed: 4)
        let data =
            switch name {
            case "vit": try DatasetCatalogue.load("digits")
            case "transformer": try EvaluationCases.classes(24, length: 6, vocabulary: 7, &random)
            default: try EvaluationCases.sequences(24, length: 6, vocabulary: 7, &random)
            }
        let model: any ModelArchitecture =
            switch name {
            case "gpt": GPT(layers: 1, heads: 2, width: 8, dropout: dropout)
            case "transformer": Transformer(layers: 1, heads: 2, width: 8, dropout: dropout)
            case "lstm": LSTM(RecurrentSettings(width: 5, hidden: 6, layers: 2, dropout: dropout))
            case "gru": GRU(RecurrentSettings(width: 5, hidden: 6, layers: 2, dropout: dropout))
            default: ViT(patch: 4, width: 8, layers: 1, heads: 2, hidden: 12, dropout: dropout)
            }
        return (try model.build(for: data.kind, seed: 3), data)
    }

    private static func train(
        _ name: String, sigma: Double, dropout: Double = 0, precision: Precision = .float32
    ) throws -> [Float] {
        let (built, data) = try network(name, dropout: dropout)
        var plan = EvaluationCases.plan(built, data) {
            $0.steps = 5
            $0.batchSize = 8
            $0.precision = precision
        }
        plan.equation = PerturbedEquation(
            rule: SGD(learningRate: 0.1),
            perturbation: CurvatureShaped(
                sigma: .relative(Scheduled(sigma)), source: .hessianDiagonal,
                estimate: HessianEstimate(every: 2)))
        let directory = try TemporaryDirectory()
        let run = try RunDirectory.create(at: directory.file("run"), config: "")
        let result = try Trainer(
            plan: plan, optimizer: plan.makeOptimizer(), run: run,
            reporter: ProgressReporter(isQuiet: true), version: "test"
        ).train()
        #expect(result.steps == 5)
        return try EvaluationCases.weights(built.parameters)
    }

    @Test(arguments: networks) func itTrains(name: String) throws {
        let weights = try Self.train(name, sigma: 0.5)
        #expect(weights.allSatisfy { $0.isFinite })
        #expect(try Self.train(name, sigma: 0.5) == weights, "other bits the second time")
        #expect(try Self.train(name, sigma: 0) != weights, "the noise was not felt")
        #expect(try Self.train(name, sigma: 0.5, dropout: 0.1).allSatisfy { $0.isFinite })
    }

    @Test func itTrainsInBFloat16() throws {
        let weights = try Self.train("gpt", sigma: 0.5, precision: .bfloat16)
        #expect(weights.allSatisfy { $0.isFinite })
    }

    /// Both ways to compute attention and recurrent layers give the same losses and gradients; only one can be derived
    /// twice, and the scope ends with its body.
    @Test(arguments: networks) func theScopeChangesTheKernelsOnly(name: String) throws {
        let (built, data) = try Self.network(name)
        let batch = try BatchLoader(data.train, of: data.kind).load(
            .init(ArraySlice(0..<6), step: 0, epoch: 0))
        let tensors = built.parameters.map(\.tensor)
        func measured() throws -> (loss: Double, gradients: [Tensor?]) {
            let loss = Loss.crossEntropy()(built.forward(batch.inputs, .evaluation), batch.targets)
            return (loss.item(), try Tensor.gradients(of: [loss], at: tensors, differentiable: true))
        }
        func derivedAgain(_ gradients: [Tensor?]) throws {
            let sum = gradients.compactMap { $0?.squared().sum() }.reduce(try Tensor.zeros([]), +)
            _ = try Tensor.gradients(of: [sum], at: tensors)
        }
        let before = try measured()
        let scoped = try withSecondDerivatives { () throws in try measured() }
        try derivedAgain(scoped.gradients)
        #expect(abs(before.loss - scoped.loss) < 1e-5)
        for (own, other) in zip(before.gradients, scoped.gradients) {
            let difference = try #require(own) - #require(other)
            #expect(difference.absolute().max().item() < 1e-5)
        }
        let after = try measured()
        #expect(after.loss == before.loss)
        // Outside it, attention is fused.
        guard !["lstm", "gru"].contains(name) else { return }
        let error = #expect(throws: TorchError.self) { try derivedAgain(after.gradients) }
        #expect(error?.isMissingDerivative == true, "\(String(describing: error))")
    }
}
