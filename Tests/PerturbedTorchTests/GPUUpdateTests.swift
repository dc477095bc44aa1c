import Foundation
import PerturbedEquations
import PerturbedTorch
import TestSupport
import Testing
import Torch
import TorchNN

/// The update from given gradients has the same bits wherever the parameters are: on the CPU in place, on copies, and on
/// each GPU that there is.
@Suite struct GPUUpdateTests {
    /// Parameters of several types, sizes and layouts, of which one gets no gradient.
    private struct Parameters: Module {
        let ownParameters: [NamedTensor]

        init(on device: Device) throws {
            let shapes: [(String, [Int], DType)] = [
                ("matrix", [7, 5], .float32), ("half", [3, 33], .bfloat16), ("number", [], .float32),
                ("double", [2, 3], .float64), ("long", [700], .float32), ("unused", [2], .float32),
            ]
            ownParameters = try shapes.enumerated().map { index, entry in
                let start = try Tensor.normal(entry.1, seed: UInt64(index)).converted(to: entry.2)
                return NamedTensor(entry.0, start.requiringGradient())
            }
            try move(to: device)
        }

        func forward(_ x: Tensor, _: ForwardContext) -> Tensor { x }

        /// Every second matrix's gradient is a transposed view, as libtorch's products may leave it.
        func setGradients(seed: UInt64, scale: Double) throws {
            for (index, named) in ownParameters.enumerated() where named.name != "unused" {
                let (shape, type) = (named.tensor.shape, named.tensor.dtype)
                let isTransposed = shape.count == 2 && (Int(seed) + index).isMultiple(of: 2)
                let drawn = try Tensor.normal(
                    isTransposed ? shape.reversed() : shape, seed: seed ^ UInt64(index))
                let there = (drawn * scale).converted(to: type).moved(to: named.tensor.device)
                named.tensor.gradient = isTransposed ? there.transposed(0, 1) : there
            }
        }
    }

    enum Place: CustomTestStringConvertible {
        case copies
        case gpu(Int)
        var testDescription: String {
            switch self {
            case .copies: "copies"
            case .gpu(let number): "cuda:\(number)"
            }
        }
        static var all: [Place] { [.copies] + (0..<Device.cudaCount).map(Place.gpu) }
    }

    /// The bits of the parameters and of the optimizer's state after some steps.
    private static func train(_ equation: PerturbedEquation, _ place: Place?) throws -> [String: Data] {
        let device: Device = if case .gpu(let number) = place { .cuda(number) } else { .cpu }
        let parameters = try Parameters(on: device)
        let optimizer = try ModelOptimizer(
            parameters, equation: equation, seed: 5, horizon: 100, stepsPerEpoch: 3,
            isStaged: place != nil)
        var evaluations: UInt64 = 0
        for step in 0..<5 {
            try optimizer.step(measure: step == 2) { evaluation in
                evaluations += 1
                let signals = optimizer.signals
                if evaluation.needsGradient {
                    signals?.begin(estimating: false)
                    for part in 0..<2 {
                        try parameters.setGradients(seed: 100 * evaluations + UInt64(part), scale: 1)
                        if evaluation.isFirst, part == 0, optimizer.core.needsSmallBatch {
                            try optimizer.noteSmallBatch(share: 1, examples: 10, of: 20)
                        }
                        if signals?.takesGradients == true { try signals?.takeGradients(share: 0.5) }
                    }
                }
                return 1 / Double(evaluations)
            }
            // Others may write to a parameter between two steps, and take one step back.
            if step == 1 { withoutGradients { parameters.ownParameters[0].tensor.scaleInPlace(0.5) } }
            if step == 3 {
                let kept = try optimizer.keep()
                try parameters.setGradients(seed: 7, scale: 1)
                if optimizer.signals == nil && !optimizer.core.needsObjective { try optimizer.step() }
                try optimizer.rollBack(to: kept, cut: 0.5)
            }
        }
        return try (parameters.stateSources() + optimizer.stateSources()).data()
    }

    private static func expectSameBits(_ text: String, _ place: Place) throws {
        let equation = try JSONDecoder().decode(PerturbedEquation.self, from: Data(text.utf8))
        let (direct, other) = try (train(equation, nil), train(equation, place))
        #expect(direct.count >= 6 && direct.keys.sorted() == other.keys.sorted(), "\(text)")
        for (name, bits) in direct { #expect(other[name] == bits, "\(name) differs: \(text)") }
        let start = try Parameters(on: .cpu).stateSources()
        let changed = try start.filter { try direct[$0.name] != $0.data() }
        #expect(changed.count >= start.count - 1, "little was trained: \(text)")
    }

    private static func all(_ samples: [String: [CatalogueSample]]) -> [(String, CatalogueSample)] {
        samples.sorted { $0.key < $1.key }.flatMap { name, list in list.map { (name, $0) } }
    }

    @Test(arguments: Place.all) func everyRule(place: Place) throws {
        for (name, sample) in Self.all(CatalogueSample.rules) {
            let noise = name == "ivon" ? "" : #", "perturbation": [{"gaussian": {"sigma": 0.1}}]"#
            try Self.expectSameBits(#"{"rule": {"\#(name)": \#(sample.settings)}\#(noise)}"#, place)
        }
    }

    @Test(arguments: Place.all) func everyPerturbationOfGradients(place: Place) throws {
        // The Hessian's diagonal is no given gradient.
        for (name, sample) in Self.all(CatalogueSample.perturbations)
        where !sample.settings.contains("hessianDiagonal") {
            try Self.expectSameBits(
                #"{"rule": \#(sample.rule), "perturbation": [{"\#(name)": \#(sample.settings)}]}"#, place)
        }
    }

    @Test(arguments: Place.all) func everyPerturbationOfParameters(place: Place) throws {
        for (name, sample) in Self.all(CatalogueSample.parameterPerturbations) {
            try Self.expectSameBits(
                #"{"rule": \#(sample.rule), "parameterPerturbation": {"\#(name)": \#(sample.settings)}}"#,
                place)
        }
    }
}
