import PerturbedEquations
import Torch

/// What training does to a batch before the model sees it: noise on inputs and labels.
struct BatchNoise {
    let inputs: InputNoise?
    let labels: LabelNoise?
    let classes: Int
    let key: NoiseKey

    /// The noise of a run's settings, with lengths of schedules filled in.
    /// - Throws: `ConfigurationError` for a schedule that leaves its range.
    init(_ settings: TrainingSettings, classes: Int, horizon: Int) throws {
        inputs = try settings.inputNoise.map { noise in
            try within("training.inputNoise") {
                let noise = InputNoise(
                    sigma: noise.sigma.resolved(horizon: horizon), distribution: noise.distribution)
                try noise.validate()
                return noise
            }
        }
        labels = try settings.labelNoise.map { noise in
            try within("training.labelNoise") {
                let noise = LabelNoise(rate: noise.rate.resolved(horizon: horizon), redraw: noise.redraw)
                try noise.validate()
                return noise
            }
        }
        self.classes = classes
        key = NoiseKey(seed: settings.seed)
    }

    /// Changes a batch in place.
    ///
    /// - Parameter examples: the batch's examples by their numbers in the training data, in its order.
    func apply(to batch: Batch, _ examples: ArraySlice<Int>, step: Int) {
        if let inputs {
            batch.inputs.withUnsafeMutableBytes { bytes in
                let values = bytes.bindMemory(to: Float.self)
                let size = values.count / max(batch.count, 1)
                for (place, example) in examples.enumerated() {
                    let own = UnsafeMutableBufferPointer(rebasing: values[place * size..<(place + 1) * size])
                    var span = own.mutableSpan
                    inputs.add(to: &span, key: key, step: step, example: example)
                }
            }
        }
        if let labels {
            batch.targets.withUnsafeMutableBytes { bytes in
                labels.apply(
                    to: bytes.bindMemory(to: Int64.self), classes: classes, key: key, step: step,
                    examples: examples)
            }
        }
    }
}
