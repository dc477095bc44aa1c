import Datasets
import PerturbedEquations
import Torch

/// What training does to a batch before the model sees it: damage and other views of images, noise on inputs and labels.
package struct BatchNoise: Sendable {
    let corruption: Corruption?
    let augmentation: Augmentation?
    let inputs: InputNoise?
    let labels: LabelNoise?
    let targets: TargetNoise?
    let kind: ExampleKind
    let ranges: [ClosedRange<Float>]?
    let key: NoiseKey

    /// The noise of a run's settings, with lengths of schedules filled in.
    /// - Throws: `ConfigurationError` for a schedule that leaves its range, and for images' settings without images.
    package init(_ settings: TrainingSettings, data: Dataset, run: RunLength) throws {
        kind = data.kind
        corruption = settings.corrupt
        augmentation = settings.augment
        for (name, isSet) in [("augment", augmentation != nil), ("corrupt", corruption != nil)] where isSet {
            guard case .numbers(let shape) = kind.input, shape.count == 3 else {
                throw ConfigurationError(
                    "is set, but the data's examples have shape \(kind.inputShape); allowed: with images [channels, "
                        + "height, width]", path: "training.\(name)")
            }
        }
        ranges = corruption == nil ? nil : data.train.pixelRanges(channels: data.inputShape[0])
        inputs = try settings.inputNoise.map { noise in
            try within("training.inputNoise") {
                let noise = InputNoise(
                    sigma: noise.sigma.resolved(for: run), distribution: noise.distribution)
                try noise.validate()
                return noise
            }
        }
        labels = try settings.labelNoise.map { noise in
            try within("training.labelNoise") {
                let noise = LabelNoise(rate: noise.rate.resolved(for: run), redraw: noise.redraw)
                try noise.validate()
                return noise
            }
        }
        targets = try settings.targetNoise.map { noise in
            try within("training.targetNoise") {
                let noise = TargetNoise(
                    sigma: noise.sigma.resolved(for: run), distribution: noise.distribution)
                try noise.validate()
                return noise
            }
        }
        key = NoiseKey(seed: settings.seed)
    }

    /// Changes a batch in place.
    ///
    /// - Parameter examples: the batch's examples by their numbers in the training data, in its order.
    func apply(to batch: Batch, _ examples: ArraySlice<Int>, step: Int, epoch: Int) {
        if inputs != nil || corruption != nil || augmentation != nil {
            batch.inputs.withUnsafeMutableBytes { bytes in
                let values = bytes.bindMemory(to: Float.self)
                let size = values.count / max(batch.count, 1)
                for (place, example) in examples.enumerated() {
                    let own = UnsafeMutableBufferPointer(rebasing: values[place * size..<(place + 1) * size])
                    corruption?.apply(
                        to: own, shape: kind.inputShape, ranges: ranges, key: key, epoch: epoch,
                        example: example)
                    augmentation?.apply(
                        to: own, shape: kind.inputShape, key: key, epoch: epoch, example: example)
                    var span = own.mutableSpan
                    inputs?.add(to: &span, key: key, step: step, example: example)
                }
            }
        }
        if let targets {
            batch.targets.withUnsafeMutableBytes { bytes in
                let values = bytes.bindMemory(to: Float.self)
                for (place, example) in examples.enumerated() {
                    var span = UnsafeMutableBufferPointer(rebasing: values[place..<place + 1]).mutableSpan
                    targets.add(to: &span, key: key, step: step, example: example)
                }
            }
        }
        if let labels {
            batch.targets.withUnsafeMutableBytes { bytes in
                labels.apply(
                    to: bytes.bindMemory(to: Int64.self), classes: kind.target.classes, key: key, step: step,
                    examples: examples)
            }
        }
    }
}
