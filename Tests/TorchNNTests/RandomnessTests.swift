import Foundation
import Testing
import Torch
import TorchNN

@Suite struct RandomnessTests {
    private func floats(_ tensor: Tensor) throws -> [Float] { try tensor.detached().array() }

    @Test func dropoutKeepsTheMean() throws {
        let x = try Tensor.ones([100_000]).requiringGradient()
        let y = Dropout(0.3).forward(x, ForwardContext(training: true, seed: 5))
        let values = try floats(y)
        #expect(Set(values) == [0, 1 / 0.7])
        let kept = Double(values.count { $0 != 0 }) / 100_000
        #expect(abs(kept - 0.7) < 6 * (0.3 * 0.7 / 100_000).squareRoot())
        // The gradient meets the same mask.
        try y.sum().backward()
        #expect(try floats(#require(x.gradient)) == values)
    }

    @Test func dropoutDependsOnSeedAndPlaceAlone() throws {
        let x = try Tensor.ones([64])
        let pair = Sequential(Dropout(0.5), Dropout(0.5))
        func run(_ module: any Module, _ seed: UInt64) throws -> [Float] {
            try floats(module.forward(x, ForwardContext(training: true, seed: seed)))
        }
        #expect(try run(Dropout(0.5), 1) == run(Dropout(0.5), 1))
        #expect(try run(Dropout(0.5), 1) != run(Dropout(0.5), 2))
        // Two layers of one model have masks of their own: about a quarter is kept, not a half.
        let kept = try run(pair, 1).count { $0 != 0 }
        #expect(kept < 26, "kept \(kept) of 64")
        #expect(try floats(pair.forward(x, .evaluation)) == floats(x))
    }

    @Test func aContextIsTheSameByNameAndPosition() {
        let context = ForwardContext(training: true, seed: 3)
        #expect(context.entering(12) == context.entering("12"))
        #expect(context.entering(1) != context.entering(2))
        #expect(context.entering(1).entering(2) != context.entering(2).entering(1))
    }

    struct Scale: Sendable {
        var initialiser: Initialiser
        var variance: Double
        /// Drawn evenly, not normally.
        var even: Bool
    }

    /// For 90 inputs and 3600 outputs.
    static let scales: [Scale] = [
        Scale(initialiser: .standard, variance: 1.0 / 270, even: true),
        Scale(initialiser: .kaimingUniform, variance: 2.0 / 90, even: true),
        Scale(initialiser: .kaimingNormal, variance: 2.0 / 90, even: false),
        Scale(initialiser: .xavierUniform, variance: 2.0 / 3690, even: true),
        Scale(initialiser: .xavierNormal, variance: 2.0 / 3690, even: false),
        Scale(initialiser: .normal(deviation: 0.02), variance: 0.0004, even: false),
        Scale(initialiser: .uniform(bound: 0.3), variance: 0.03, even: true),
    ]

    /// Mean 0 and the documented standard deviation, within 6 standard errors; even draws stay within √3 of it.
    @Test(arguments: scales)
    func initialisersHaveTheirScale(_ scale: Scale) throws {
        let (initialiser, deviation, even) = (scale.initialiser, scale.variance.squareRoot(), scale.even)
        let weight = try Tensor.zeros([400, 10, 3, 3])  // n_in 90, n_out 3600
        try initialiser.fill(weight, seed: 17)
        let values = try floats(weight).map(Double.init)
        let count = Double(values.count)
        let mean = values.reduce(0, +) / count
        let spread = (values.reduce(0) { $0 + $1 * $1 } / count).squareRoot()
        #expect(abs(mean) < 6 * deviation / count.squareRoot())
        #expect(abs(spread / deviation - 1) < 6 / count.squareRoot())
        let largest = values.map(abs).max() ?? 0
        let bound = deviation * 3.0.squareRoot()
        #expect(even ? largest <= bound * 1.000001 && largest > 0.99 * bound : largest > 1.5 * bound)
        let again = try Tensor.zeros([400, 10, 3, 3])
        try initialiser.fill(again, seed: 17)
        #expect(try floats(again) == floats(weight))
        try initialiser.fill(again, seed: 18)
        #expect(try floats(again) != floats(weight))
    }

    @Test func biasesFollowTheInitialiser() throws {
        let standard = try #require(try Linear(4, 1000, seed: 1).bias)
        #expect(standard.absolute().max().item() <= 0.5 && standard.absolute().max().item() > 0.45)
        let others = try #require(try Linear(4, 10, initialiser: .kaimingNormal, seed: 1).bias)
        #expect(try floats(others) == [Float](repeating: 0, count: 10))
        #expect(
            try floats(Linear(2, 2, initialiser: .constant(0.25), seed: 1).weight) == [
                0.25, 0.25, 0.25, 0.25,
            ])
    }

    @Test func initialisersAreWrittenAsTheyAreRead() throws {
        let all: [Initialiser] =
            Initialiser.named.map(\.initialiser) + [
                .normal(deviation: 0.5), .uniform(bound: 2), .constant(-1),
            ]
        for initialiser in all {
            let data = try JSONEncoder().encode([initialiser])
            #expect(try JSONDecoder().decode([Initialiser].self, from: data) == [initialiser])
        }
        for wrong in [
            "[\"kaming\"]", "[{\"normal\": -1}]", "[{\"uniform\": 0}]", "[{}]",
            "[{\"normal\": 1, \"constant\": 2}]",
        ] {
            #expect(throws: DecodingError.self, "\(wrong)") {
                try JSONDecoder().decode([Initialiser].self, from: Data(wrong.utf8))
            }
        }
    }

    @Test func batchNormRefusesOneValuePerChannel() async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = try BatchNorm(3, .vectors).forward(.ones([1, 3]), ForwardContext(training: true, seed: 1))
        }
        let words = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        #expect(words.contains("BatchNorm: cannot train on one value per channel ([1, 3])"))
    }
}
