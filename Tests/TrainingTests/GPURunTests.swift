import Datasets
import Foundation
import Models
import PerturbedEquations
import TestSupport
import Testing
import Torch
import TorchNN
import Training

/// Runs whose model is on a GPU: the same bits again, also where they were broken off, and the CPU's losses within rounding.
@Suite(.enabled(if: Device.cudaCount > 0)) struct GPURunTests {
    private static func text() throws -> Dataset {
        let kind = ExampleKind(.tokens(vocabulary: 19, length: 24), .classPerToken(of: 19))
        let key = NoiseKey(seed: 3)
        let tokens = (0..<120 * 24).map { Int32(key.uniformIndex(below: 19, UInt64($0))) }
        let split = try DataSplit(tokens: tokens, length: 24, targets: tokens.map(Int64.init), named: "text")
        return Dataset(
            name: "text", kind: kind, classNames: (0..<19).map(String.init), train: split, test: split)
    }

    /// A network and how it is trained.
    struct Case: CustomTestStringConvertible {
        let name: String
        let model: any ModelArchitecture
        var isOfText = false
        /// Whether it draws what each device draws for itself.
        var draws = false
        var change: @Sendable (inout TrainingSettings) -> Void = { _ in }
        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(name: "mlp", model: MLP(hidden: [16], batchNorm: true)) { $0.average = .ema(decay: 0.8) },
        Case(name: "mlp, dropout", model: MLP(hidden: [16], dropout: 0.2), draws: true),
        Case(name: "cnn", model: CNN(channels: [8, 16], hidden: 16)),
        Case(name: "resnet", model: ResNet(layers: 20, width: 4)),
        Case(name: "vit", model: ViT(patch: 2, width: 16, layers: 2, heads: 2, hidden: 32)),
        Case(name: "gpt", model: GPT(layers: 2, heads: 2, width: 32), isOfText: true),
        Case(
            name: "gpt, dropout", model: GPT(layers: 2, heads: 2, width: 32, dropout: 0.1), isOfText: true,
            draws: true),
        Case(name: "lstm", model: LSTM(RecurrentSettings(width: 8, hidden: 16, layers: 2)), isOfText: true),
    ]

    private static func outcome(
        _ one: Case, on device: Device, breakingAt step: Int? = nil
    ) throws -> [String: Data] {
        let directory = try TemporaryDirectory()
        let data = try one.isOfText ? text() : DatasetCatalogue.load("digits")
        return try TrainedRun.files(at: directory.file("run"), breakingAt: step) {
            var settings = TrainingSettings(steps: 12)
            settings.batchSize = 30
            settings.accumulate = 2
            settings.logEvery = 1
            settings.evaluateEvery = .steps(6)
            settings.checkpointEvery = .steps(4)
            settings.device = device
            one.change(&settings)
            return TrainingPlan(
                name: "test", modelName: one.name, model: try one.model.build(for: data.kind, seed: 1),
                data: data,
                equation: PerturbedEquation(
                    rule: Adam(learningRate: 0.003), perturbation: Gaussian(sigma: .relative(0.2)),
                    stability: Stability(clipGlobalNorm: 1)), settings: settings)
        }
    }

    private static func losses(_ files: [String: Data]) throws -> [Double] {
        struct Line: Decodable {
            let kind: String
            let loss: Double
        }
        return try (files["metrics.jsonl"] ?? Data()).split(separator: UInt8(ascii: "\n")).map {
            try JSONDecoder().decode(Line.self, from: Data($0))
        }.filter { $0.kind == "train" }.map(\.loss)
    }

    @Test(arguments: cases) func haveTheSameBitsAgain(one: Case) throws {
        let first = try Self.outcome(one, on: .cuda(0))
        for step in [nil, 7] as [Int?] {
            let again = try Self.outcome(one, on: .cuda(0), breakingAt: step)
            for (name, bits) in first {
                #expect(again[name] == bits, "\(name) differs, broken off at \(String(describing: step))")
            }
        }
        guard !one.draws else { return }
        let (there, here) = try (Self.losses(first), Self.losses(Self.outcome(one, on: .cpu)))
        #expect(there.count == 12 && here.count == 12)
        #expect(abs(there[0] - here[0]) < 2e-3 * abs(here[0]), "\(there[0]) and on the CPU \(here[0])")
        #expect(abs(there[11] - here[11]) < 0.05 * abs(here[11]), "\(there[11]) and on the CPU \(here[11])")
    }
}
