import BayesianLearning
import Datasets
import Foundation
import Models
import PerturbedEquations
import PosteriorSampling
import TestSupport
import Testing
import Torch
import TorchNN
import Training

/// Draws and masks as members.
@Suite struct PredictiveMembersTests {
    private func values(_ model: any Module) throws -> [Float] {
        try model.stateTensors.flatMap {
            try $0.tensor.detached().converted(to: .float32).contiguous().array(of: Float.self)
        }
    }

    /// Draws are taken evenly: of each chain as many, at equal distances.
    @Test func drawsAreThinned() throws {
        Threads.count = 1
        let problem = try NetworkChainTests.Regression(seed: 34)
        let directory = try TemporaryDirectory()
        let sampler = try ChainSampler(
            try (0..<3).map {
                try problem.chain(SGHMC(learningRate: 2e-4, friction: 0.1), batchSize: 48, number: $0)
            }, schedule: SamplingSchedule(steps: 20, burnIn: 10, thin: 1), to: directory.url,
            prepare: { Threads.count = 1 })
        while !sampler.isFinished { try sampler.advance(by: 7) }
        let samples = try Samples(contentsOf: directory.url)
        #expect(samples.chains == 3 && samples.draws == 10)
        let model = try MLP(hidden: []).build(for: problem.data.kind, seed: 0)
        var all: [[Float]] = []
        for chain in 0..<3 {
            for draw in 0..<10 {
                try model.loadState(from: samples.draw(draw, of: chain))
                all.append(try values(model))
            }
        }
        func chosen(_ atMost: Int?) throws -> [Int] {
            let members = SampleMembers(samples, atMost: atMost)
            return try (0..<members.count).map { member in
                #expect(try members.install(member, in: model) == .evaluation)
                return try #require(all.firstIndex(of: try values(model)))
            }
        }
        #expect(try chosen(nil) == Array(0..<30))
        #expect(try chosen(100) == Array(0..<30))
        #expect(try chosen(6) == [2, 7, 12, 17, 22, 27])
        #expect(try chosen(3) == [5, 15, 25])
        #expect(try chosen(1) == [15])
        // Draws do not fit another model.
        let other = try MLP(hidden: [4]).build(for: problem.data.kind, seed: 0)
        #expect(throws: StateDictionaryError.self) { try SampleMembers(samples).install(0, in: other) }
    }

    /// The masks are addressed; nothing of the model changes, and batch normalisation stays by its running statistics.
    @Test func masksOfDropout() throws {
        Threads.count = 1
        let data = try DatasetCatalogue.load("digits")
        let model = try MLP(hidden: [32], dropout: 0.4, batchNorm: true).build(for: data.kind, seed: 4)
        // Statistics that are not those of any batch.
        for buffer in model.buffers where buffer.name.hasSuffix("running_mean") {
            buffer.tensor.copy(from: try Tensor([Float](repeating: 0.3, count: 32), shape: [32]))
        }
        let before = try values(model)
        func measured(_ count: Int, seed: UInt64) throws -> ClassPosterior {
            try ClassPosterior.measure(
                DropoutMembers(count, seed: seed), model, on: data.test, of: data.kind)
        }
        let found = try measured(8, seed: 1)
        #expect(try measured(8, seed: 1) == found)
        #expect(try measured(8, seed: 2).quality.loss != found.quality.loss)
        #expect(found.mutualInformation > 1e-3 && found.quality.loss < found.meanMember.loss)
        #expect(try values(model) == before)
        // Member 0 is the same member in an ensemble of any size, and one example's prediction is its own mask's alone: not
        // of the batch's statistics.
        let first = Array(0..<256)
        func predictions(_ split: DataSplit) throws -> ClassPredictions {
            try ClassPredictions.collect(
                DropoutMembers(1, seed: 1), model, on: [(split, true)], of: data.kind)[0]
        }
        let whole = try predictions(data.test)
        let changed = try predictions(data.test.selecting(Array(first.dropLast(56)) + Array(300..<356)))
        #expect(
            Array(whole.logProbabilities.prefix(2000)) == Array(changed.logProbabilities.prefix(2000)))
        // Two batches have masks of their own.
        let twice = try predictions(data.test.selecting(first + first))
        #expect(twice.logProbabilities.prefix(2560) != twice.logProbabilities.suffix(2560))
    }

    @Test func whetherThereIsDropout() throws {
        let data = try DatasetCatalogue.load("digits")
        for (dropout, wanted) in [(0.0, false), (0.1, true)] {
            let model = try MLP(hidden: [16], dropout: dropout).build(for: data.kind, seed: 1)
            #expect(try DropoutMembers.hasDropout(model, on: data.test, of: data.kind) == wanted)
        }
        let vit = try ViT(patch: 4, width: 16, layers: 1, heads: 2, dropout: 0.2).build(
            for: data.kind, seed: 1)
        // Its last layer is zero at the start.
        #expect(try !DropoutMembers.hasDropout(vit, on: data.test, of: data.kind))
        for parameter in vit.parameters where parameter.name.hasPrefix("head") {
            parameter.tensor.copy(from: try .normal(parameter.tensor.shape, seed: 3))
        }
        #expect(try DropoutMembers.hasDropout(vit, on: data.test, of: data.kind))
    }
}
