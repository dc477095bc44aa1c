import Datasets
import Foundation
import PerturbedEquations
import Torch
import TorchNN
import Training

/// Noise on data and activations: numbers before, what changed, one against the other, and how often.
enum DataNoisePicture {
    private static let side = SquaresPicture.side
    /// Steps, or epochs, whose changes are counted; the last is the one that is shown.
    private static let steps = 16
    private static let run = RunLength(steps: steps, stepsPerEpoch: 1)
    /// Of a digit.
    private static let pixels = 8

    static func svg(of named: CataloguePicture.Named, seed: UInt64) throws -> String {
        let settings = named.settings ?? ConfigNode(.mapping([]))
        func decoded<T: Decodable>(_: T.Type) throws -> T {
            try ConfigDecoder.decode(T.self, from: settings)
        }
        let key = NoiseKey(seed: seed)
        switch named.name {
        case "inputNoise":
            let noise = try decoded(InputNoise.self)
            let own = InputNoise(sigma: noise.sigma.resolved(for: run), distribution: noise.distribution)
            return try images(named) { image, step, example in
                var span = image.mutableSpan
                own.add(to: &span, key: key, step: step, example: example)
            }
        case "augment":
            let augmentation = try decoded(Augmentation.self)
            return try images(named) { image, step, example in
                augmentation.apply(to: image, shape: shape, key: key, epoch: step, example: example)
            }
        case "corrupt":
            let corruption = try decoded(Corruption.self)
            let ranges = try DatasetEntry.digits.load().train.pixelRanges(channels: 1)
            return try images(named) { image, step, example in
                corruption.apply(
                    to: image, shape: shape, ranges: ranges, key: key, epoch: step, example: example)
            }
        case "labelNoise": return labels(named, try decoded(LabelNoise.self), key)
        case "targetNoise": return targets(named, try decoded(TargetNoise.self), key)
        case "noisyLinear":
            return try noisyLinear(named, try decoded(NoisyLinearSettings.self).noisySigma, seed)
        case "neftune": return try neftune(named, try decoded(NEFTuneSettings.self).neftune, seed)
        case "conditioned":
            _ = try decoded(ConditionedSettings.self)
            return conditioned(named)
        default: preconditionFailure("peo list noise names \(named.name), which has no picture")
        }
    }

    private struct NoisyLinearSettings: Decodable { var noisySigma: Double }
    private struct NEFTuneSettings: Decodable { var neftune: Double }
    private struct ConditionedSettings: Decodable { var conditioned: Bool }

    private static var shape: [Int] { [1, pixels, pixels] }

    private static func picture(
        _ named: CataloguePicture.Named, _ what: String, before: [Float],
        after: (_ step: Int) throws -> [Float]
    ) rethrows -> String {
        var (change, all): ([Float], [Float]) = ([], [])
        for step in 0..<steps {
            change = zip(try after(step), before).map { $0 - $1 }
            all += change
        }
        return SquaresPicture(
            before: before, change: change, all: all,
            titles: [what, "the change, once", "change (up), before (right)", "how often it occurs"],
            caption: "\(named.name): \(named.entry.equation)"
        ).svg()
    }

    /// 5 × 5 of the built-in digits, as the model sees them.
    private static func images(
        _ named: CataloguePicture.Named,
        _ change: (_ image: UnsafeMutableBufferPointer<Float>, _ step: Int, _ example: Int) -> Void
    ) throws -> String {
        let tiles = side / pixels
        let size = pixels * pixels
        let split = try DatasetEntry.digits.load().train
        var features = [Float](repeating: 0, count: tiles * tiles * size)
        var classes = [Int64](repeating: 0, count: tiles * tiles)
        features.withUnsafeMutableBufferPointer { features in
            classes.withUnsafeMutableBufferPointer { classes in
                split.copyBatch(Array(0..<tiles * tiles)[...], into: features, labels: classes)
            }
        }
        func tiled(_ images: [Float]) -> [Float] {
            (0..<side * side).map { place in
                let (x, y) = (place % side, place / side)
                let image = y / pixels * tiles + x / pixels
                return images[image * size + y % pixels * pixels + x % pixels]
            }
        }
        return picture(named, "25 digits", before: tiled(features)) { step in
            var images = features
            images.withUnsafeMutableBufferPointer { images in
                for example in 0..<tiles * tiles {
                    change(
                        UnsafeMutableBufferPointer(rebasing: images[example * size..<(example + 1) * size]),
                        step, example)
                }
            }
            return tiled(images)
        }
    }

    /// 40 examples down, 10 classes across, four cells each; 1 for the label.
    private static func labels(
        _ named: CataloguePicture.Named, _ noise: LabelNoise, _ key: NoiseKey
    ) -> String {
        let own = LabelNoise(rate: noise.rate.resolved(for: run), redraw: noise.redraw)
        let classes = 10
        let truth = (0..<side).map { Int64($0 * classes / side) }
        func shown(_ labels: [Int64]) -> [Float] {
            (0..<side * side).map { labels[$0 / side] == Int64($0 % side * classes / side) ? 1 : 0 }
        }
        return picture(named, "40 labels (down)", before: shown(truth)) { step in
            var labels = truth
            labels.withUnsafeMutableBufferPointer {
                own.apply(
                    to: $0, classes: classes, key: key, step: step, examples: Array(0..<side)[...])
            }
            return shown(labels)
        }
    }

    /// 1,600 numbers to predict: a wave.
    private static func targets(
        _ named: CataloguePicture.Named, _ noise: TargetNoise, _ key: NoiseKey
    ) -> String {
        let own = TargetNoise(sigma: noise.sigma.resolved(for: run), distribution: noise.distribution)
        let truth = (0..<side * side).map {
            Float(sin(Double($0 % side) / 6) * cos(Double($0 / side) / 6) * 2)
        }
        return picture(named, "1,600 targets", before: truth) { step in
            var targets = truth
            for example in targets.indices {
                var one = [targets[example]]
                var span = one.mutableSpan
                own.add(to: &span, key: key, step: step, example: example)
                targets[example] = one[0]
            }
            return targets
        }
    }

    /// 40 inputs through a layer of 40 outputs.
    private static func noisyLinear(
        _ named: CataloguePicture.Named, _ sigma: Double, _ seed: UInt64
    ) throws -> String {
        try require(
            sigma >= 0 && sigma.isFinite, "noisyLinear.noisySigma", is: sigma, allowed: "a finite number ≥ 0")
        let layer = try NoisyLinear(side, side, sigma: sigma, seed: seed)
        let x = try Tensor.normal([side, side], seed: derivedSeed(seed, "inputs"))
        let before = try layer.forward(x, .evaluation).array(of: Float.self)
        return try picture(named, "y: 40 inputs (down)", before: before) { step in
            try layer.forward(x, ForwardContext(training: true, seed: derivedSeed(seed, "\(step)")))
                .array(of: Float.self)
        }
    }

    /// 40 words of an embedding that is 40 wide.
    private static func neftune(
        _ named: CataloguePicture.Named, _ alpha: Double, _ seed: UInt64
    ) throws -> String {
        try require(
            alpha >= 0 && alpha.isFinite, "neftune.neftune", is: alpha, allowed: "a finite number ≥ 0")
        let layer = NEFTune(try Embedding(side, side, seed: seed), alpha: alpha)
        let words = try Tensor((0..<side).map { Int64($0 * 7 % side) }, shape: [1, side])
        let before = try layer.forward(words, .evaluation).array(of: Float.self)
        return try picture(named, "W[x]: 40 words (down)", before: before) { step in
            try layer.forward(words, ForwardContext(training: true, seed: derivedSeed(seed, "\(step)")))
                .array(of: Float.self)
        }
    }

    /// φ, all that a conditioned layer is told: what it makes of it has to be learnt.
    private static func conditioned(_ named: CataloguePicture.Named) -> String {
        let sigmas = (0...90).map { Double($0) / 30 }
        var box = PlotBox("φ(σ): what the layer is told", x: 0...3, y: 0...1.05, width: 450)
        box.ends = ("σ = 0", "σ = 3")
        for k in 0..<SigmaConditioning.features {
            box.line(sigmas.map { SIMD2($0, SigmaConditioning.features(of: $0)[k]) }, .blue)
        }
        return PlotPage(boxes: [box], caption: "\(named.name): \(named.entry.equation)").svg()
    }
}
