import Foundation
import PerturbedEquations
import PerturbedTorch
import TestSupport
import Testing
import Torch
import TorchNN

/// The update by way of copies on the host, as a model on a GPU takes it, gives the bits of the update in place.
///
/// No GPU is needed: the copies are forced for a model on the CPU.
@Suite struct StagingTests {
    /// A small network with buffers, of which one parameter gets no gradient.
    private struct Net: Module {
        let first: Linear
        let norm: BatchNorm
        let second: Linear
        let unused: Tensor

        init() throws {
            first = try Linear(5, 7, seed: 1)
            norm = try BatchNorm(7, .vectors)
            second = try Linear(7, 3, seed: 2)
            unused = try Tensor.ones([2]).requiringGradient()
        }

        var ownParameters: [NamedTensor] { [NamedTensor("unused", unused)] }
        var children: [NamedModule] {
            [NamedModule("first", first), NamedModule("norm", norm), NamedModule("second", second)]
        }

        func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor {
            let hidden = norm.forward(first.forward(x, context.entering("first")), context.entering("norm"))
            return second.forward(hidden.tanh(), context.entering("second"))
        }
    }

    /// The bits of the model's weights and buffers, and of the optimizer's state, after some steps.
    private static func train(_ equation: PerturbedEquation, isStaged: Bool) throws -> [String: Data] {
        let net = try Net()
        let optimizer = try ModelOptimizer(
            net, equation: equation, seed: 5, horizon: 100, stepsPerEpoch: 3, isStaged: isStaged)
        let x = try Tensor.normal([24, 5], seed: 3)
        let y = try Tensor.normal([24, 3], seed: 4)
        let loss = Loss.meanSquaredError
        for step in 0..<7 {
            try optimizer.step(measure: step == 2) { evaluation in
                var mean = 0.0
                let signals = optimizer.signals
                if evaluation.needsGradient { signals?.begin(estimating: evaluation.isFirst) }
                for part in 0..<2 {
                    let rows = part == 0 ? 0..<10 : 10..<24
                    let share = Double(rows.count) / 24
                    let context = ForwardContext(
                        training: true, seed: UInt64(step), learnsStatistics: evaluation.isFirst)
                    let value = loss(net.forward(x[rows], context), y[rows])
                    mean += value.item() * share
                    guard evaluation.needsGradient else { continue }
                    try signals?.observe(value, share: share)
                    let isTaken = signals?.takesGradients == true
                    try (isTaken ? value : value * share).backward()
                    if evaluation.isFirst, part == 0, optimizer.core.needsSmallBatch {
                        try optimizer.noteSmallBatch(share: isTaken ? 1 : share, examples: 10, of: 24)
                    }
                    if isTaken { try signals?.takeGradients(share: share) }
                }
                return mean
            }
            // Others may write to the weights between two steps: a mean of them, a file.
            if step == 3 { net.second.weight.copy(from: net.second.weight.detached() * 0.5) }
        }
        return try (net.stateSources() + optimizer.stateSources()).data()
    }

    private static func expectSameBits(_ text: String) throws {
        let equation = try JSONDecoder().decode(PerturbedEquation.self, from: Data(text.utf8))
        let (direct, staged) = try (
            train(equation, isStaged: false), train(equation, isStaged: true)
        )
        #expect(direct.count > 8 && direct.keys.sorted() == staged.keys.sorted(), "\(text)")
        for (name, bits) in direct { #expect(staged[name] == bits, "\(name) differs: \(text)") }
        #expect(direct["first.weight"] != (try Net().first.weight.bits), "nothing was trained: \(text)")
    }

    private static func all(_ samples: [String: [CatalogueSample]]) -> [(String, CatalogueSample)] {
        samples.sorted { $0.key < $1.key }.flatMap { name, list in list.map { (name, $0) } }
    }

    @Test func everyRule() throws {
        for (name, sample) in Self.all(CatalogueSample.rules) {
            let noise = name == "ivon" ? "" : #", "perturbation": [{"gaussian": {"sigma": 0.1}}]"#
            try Self.expectSameBits(#"{"rule": {"\#(name)": \#(sample.settings)}\#(noise)}"#)
        }
    }

    @Test func everyPerturbation() throws {
        for (name, sample) in Self.all(CatalogueSample.perturbations) {
            try Self.expectSameBits(
                #"{"rule": \#(sample.rule), "perturbation": [{"\#(name)": \#(sample.settings)}]}"#)
        }
    }

    @Test func everyParameterPerturbation() throws {
        for (name, sample) in Self.all(CatalogueSample.parameterPerturbations) {
            try Self.expectSameBits(
                #"{"rule": \#(sample.rule), "parameterPerturbation": {"\#(name)": \#(sample.settings)}}"#)
        }
    }

    @Test func controllersAndGuards() throws {
        for (name, sample) in Self.all(CatalogueSample.controllers) {
            try Self.expectSameBits(
                #"""
                {"rule": \#(CatalogueSample.adam), "perturbation": [{"gaussian": {"sigma": 0.1}}],
                 "controllers": [{"\#(name)": \#(sample.settings)}]}
                """#)
        }
        try Self.expectSameBits(
            #"""
            {"rule": \#(CatalogueSample.adam), "perturbation": [{"gaussian": {"sigma": 1}}],
             "stability": {"clipGlobalNorm": 0.1, "perturbationToGradient": 0.5, "rollbackOnSpike":
                {"deviations": 0.1, "window": 10, "minimumHistory": 2, "snapshotEvery": 2, "attempts": 100}}}
            """#)
    }
}

extension Tensor {
    fileprivate var bits: Data { withUnsafeMutableBytes { Data($0) } }
}
