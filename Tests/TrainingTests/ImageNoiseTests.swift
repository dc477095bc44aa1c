import Datasets
import Foundation
import Models
import PerturbedEquations
import TestSupport
import Testing
import Training

/// Other views of images and damage to them: closed forms, addresses.
@Suite struct ImageNoiseTests {
    static let key = NoiseKey(seed: 11)
    static let shape = [2, 6, 5]
    /// All different and none 0.
    static let image = (1...60).map(Float.init)

    static func view(_ augmentation: Augmentation, epoch: Int, example: Int) -> [Float] {
        var image = image
        image.withUnsafeMutableBufferPointer {
            augmentation.apply(to: $0, shape: shape, key: key, epoch: epoch, example: example)
        }
        return image
    }

    static func damaged(
        _ corruption: Corruption, _ image: [Float], shape: [Int], epoch: Int = 0, example: Int = 0,
        ranges: [ClosedRange<Float>]? = nil
    ) -> [Float] {
        var image = image
        image.withUnsafeMutableBufferPointer {
            corruption.apply(
                to: $0, shape: shape, ranges: ranges, key: key, epoch: epoch, example: example)
        }
        return image
    }

    /// Each view is one of the 2·(2p + 1)² that there are, found by an independent rule, and all come about equally
    /// often.
    @Test func shiftsAndMirrorsAreDrawnEvenly() throws {
        let augmentation = Augmentation(crop: 1, flip: true)
        var views: [[Float]: Int] = [:]
        for down in -1...1 {
            for right in -1...1 {
                for sign in [1, -1] {
                    var view: [Float] = []
                    for channel in 0..<2 {
                        for y in 0..<6 {
                            for x in 0..<5 {
                                let (row, column) = (y + down, (sign == 1 ? x : 4 - x) + right)
                                let isInside = row >= 0 && row < 6 && column >= 0 && column < 5
                                view.append(isInside ? Self.image[(channel * 6 + row) * 5 + column] : 0)
                            }
                        }
                    }
                    views[view] = 0
                }
            }
        }
        #expect(views.count == 18)
        for example in 0..<3600 {
            let view = Self.view(augmentation, epoch: 0, example: example)
            try #require(views[view] != nil, "\(view)")
            views[view]! += 1
        }
        // 200 expected, deviation 13.7.
        for count in views.values { #expect((130...270).contains(count), "\(count)") }
    }

    @Test func viewsAreAddressed() {
        let augmentation = Augmentation(crop: 3, flip: true, cutout: 2)
        let views = (0..<40).map { Self.view(augmentation, epoch: 1, example: $0) }
        #expect(views == (0..<40).map { Self.view(augmentation, epoch: 1, example: $0) })
        #expect(views != (0..<40).map { Self.view(augmentation, epoch: 2, example: $0) })
        #expect(Set(views).count > 20)
        #expect(Self.view(Augmentation(), epoch: 1, example: 0) == Self.image)
    }

    /// The hole is a square cut at the borders, in all channels alike, and reaches every pixel.
    @Test func cutoutMakesASquareHole() {
        var reached = Set<Int>()
        for example in 0..<500 {
            let view = Self.view(Augmentation(cutout: 3), epoch: 0, example: example)
            let holes = (0..<30).filter { view[$0] == 0 }
            #expect(holes == (0..<30).filter { view[30 + $0] == 0 })
            #expect((0..<60).allSatisfy { view[$0] == 0 || view[$0] == Self.image[$0] })
            let (rows, columns) = (Set(holes.map { $0 / 5 }), Set(holes.map { $0 % 5 }))
            #expect(holes.count == rows.count * columns.count)
            #expect((2...3).contains(rows.count) && (2...3).contains(columns.count))
            reached.formUnion(holes)
        }
        #expect(reached.count == 30)
    }

    @Test func gaussianDamageHasItsDeviation() {
        let flat = [Float](repeating: 0, count: 10_000)
        let ranges: [ClosedRange<Float>] = [-10...10]
        let values = Self.damaged(Corruption(gaussian: 3), flat, shape: [1, 100, 100], ranges: ranges)
        let square = values.reduce(0.0) { $0 + Double($1) * Double($1) } / 10_000
        // σ = 0.08 of a range that is 20 wide.
        #expect(abs(square.squareRoot() - 1.6) < 0.06)
        let clipped = Self.damaged(
            Corruption(gaussian: 5), flat, shape: [1, 100, 100], ranges: [0...1])
        #expect(clipped.min() == 0 && clipped.max()! <= 1)
    }

    @Test func contrastShrinksAroundTheMean() {
        let values = Self.damaged(Corruption(contrast: 2), Self.image, shape: Self.shape)
        for channel in 0..<2 {
            let mean = Float(15.5 + 30 * Double(channel))
            for place in channel * 30..<channel * 30 + 30 {
                #expect(abs(values[place] - ((Self.image[place] - mean) * 0.5 + mean)) < 1e-4)
            }
        }
    }

    /// A point becomes a Gaussian of the severity's width; what is constant stays.
    @Test func blurIsAGaussian() {
        var point = [Float](repeating: 0, count: 21 * 21)
        point[10 * 21 + 10] = 1
        let values = Self.damaged(Corruption(blur: 5), point, shape: [1, 21, 21])
        var (sum, second) = (0.0, 0.0)
        for (place, value) in values.enumerated() {
            sum += Double(value)
            second += Double(value) * Double((place % 21 - 10) * (place % 21 - 10))
        }
        #expect(abs(sum - 1) < 1e-5 && abs(second - 1) < 0.02, "\(sum) \(second)")
        #expect(values[10 * 21 + 12] == values[12 * 21 + 10])
        let flat = [Float](repeating: 3, count: 60)
        let same = Self.damaged(Corruption(blur: 3), flat, shape: Self.shape)
        #expect(same.allSatisfy { abs($0 - 3) < 1e-5 })
    }

    @Test func damageKeepsToItsRateAndAddress() {
        func damaged(_ redraw: Corruption.Redraw, epoch: Int) -> [[Float]] {
            (0..<1000).map {
                Self.damaged(
                    Corruption(gaussian: 1, rate: 0.3, redraw: redraw), Self.image, shape: Self.shape,
                    epoch: epoch, example: $0)
            }
        }
        let once = damaged(.once, epoch: 0)
        let count = once.count { $0 != Self.image }
        #expect((240...360).contains(count), "\(count)")
        #expect(damaged(.once, epoch: 5) == once)
        #expect(damaged(.everyEpoch, epoch: 0) != damaged(.everyEpoch, epoch: 1))
        #expect(damaged(.everyEpoch, epoch: 1) == damaged(.everyEpoch, epoch: 1))
    }

    @Test(arguments: [
        ("{\"epochs\": 1, \"augment\": {\"crop\": -1}}", "is -1; allowed: 0 to 1000"),
        ("{\"epochs\": 1, \"corrupt\": {\"blur\": 6}}", "is 6; allowed: severities 0 to 5"),
        ("{\"epochs\": 1, \"corrupt\": {\"rate\": 1.5}}", "is 1.5; allowed: 0 to 1"),
    ])
    func badSettingsAreNamed(json: String, words: String) {
        let error = #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(TrainingSettings.self, from: Data(json.utf8))
        }
        guard case .dataCorrupted(let context) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(context.debugDescription == words)
    }

    @Test func settingsForImagesNeedImages() throws {
        var settings = TrainingSettings(epochs: 1)
        settings.augment = Augmentation(flip: true)
        let split = try DataSplit(features: [1, 2, 3, 4], labels: [0, 1], exampleSize: 2, named: "x")
        let data = Dataset(name: "x", inputShape: [2], classNames: ["a", "b"], train: split, test: split)
        let plan = TrainingPlan(
            name: "test", modelName: "mlp", model: try MLP().build(for: data.kind, seed: 1), data: data,
            equation: DataNoiseTests.equation, settings: settings)
        let error = #expect(throws: ConfigurationError.self) { try plan.makeOptimizer() }
        #expect(error?.description.contains("training.augment") == true)
    }
}
