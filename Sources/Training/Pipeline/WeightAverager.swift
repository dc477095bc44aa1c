import Safetensors
import Torch
import TorchNN

/// Keeps the mean of a model's weights, in float32 at least, and puts it in their place for a while.
final class WeightAverager {
    private let average: WeightAverage
    /// What the mean is taken of: the weights, and for an exponential mean what the model learns beside them too.
    private let followed: [NamedTensor]
    private let means: [Tensor]
    /// All that may differ between the model of θ and that of the mean.
    private let state: [Tensor]
    private let buffers: [Tensor]
    /// The buffers under a plain mean, once learnt, and of how many steps that was.
    private var learnt: (count: Int, buffers: [Tensor])?
    /// How many steps the mean has taken in.
    private(set) var count: Int

    private static let prefix = "average."

    /// - Parameter count: of a run that goes on; see ``load(from:)``.
    init(_ model: any Module, _ average: WeightAverage, count: Int = 0) {
        self.average = average
        self.count = count
        buffers = model.buffers.map(\.tensor)
        state = model.parameters.map(\.tensor) + buffers
        switch average {
        case .ema:
            followed = model.parameters + model.buffers.filter { $0.tensor.dtype.isFloatingPoint }
        case .swa: followed = model.parameters
        }
        means = followed.map { named in
            let weights = named.tensor.detached()
            return weights.converted(to: weights.dtype == .bfloat16 ? .float32 : weights.dtype).cloned()
        }
    }

    /// Takes the weights after a step into the mean, if it is one of those that count.
    func note(step: Int) {
        guard let share = average.share(step: step, count: count) else { return }
        count += 1
        for (mean, named) in zip(means, followed) {
            if share == 1 {
                mean.copy(from: named.tensor.detached())
            } else {
                mean.scaleInPlace(1 - share)
                mean.addInPlace(named.tensor.detached(), scale: share)
            }
        }
    }

    /// Runs `body` with the mean in the model, where there is one yet; the weights come back from a copy, to the bit.
    ///
    /// - Parameter learn: makes the model learn its buffers under the weights that it has; for a plain mean.
    func inModel<Result>(learn: () throws -> Void, _ body: () throws -> Result) throws -> Result {
        guard count > 0 else { return try body() }
        let copies = state.map { $0.detached().cloned() }
        defer { for (tensor, copy) in zip(state, copies) { tensor.copy(from: copy) } }
        try install(learn: learn)
        return try body()
    }

    /// Leaves the mean in the model, where there is one.
    func install(learn: () throws -> Void) throws {
        guard count > 0 else { return }
        for (named, mean) in zip(followed, means) { named.tensor.copy(from: mean) }
        guard case .swa = average, !buffers.isEmpty else { return }
        if let learnt, learnt.count == count {
            for (buffer, copy) in zip(buffers, learnt.buffers) { buffer.copy(from: copy) }
        } else {
            try learn()
            learnt = (count, buffers.map { $0.detached().cloned() })
        }
    }

    /// For a checkpoint: `average.<name>`.
    var sources: [TensorSource] {
        count > 0 ? zip(followed, means).map { TensorSource(Self.prefix + $0.name, $1) } : []
    }

    /// Reads what `sources` wrote.
    /// - Throws: `StateDictionaryError` where a mean is missing or has another shape.
    func load(from file: SafetensorsFile) throws {
        guard count > 0 else { return }
        for (mean, named) in zip(means, followed) {
            let name = Self.prefix + named.name
            guard let entry = file[name], entry.shape == mean.shape else {
                throw StateDictionaryError(
                    code: file[name] == nil ? .missingTensor : .wrongShape,
                    message:
                        "\(file.name) has no tensor '\(name)' of shape \(mean.shape), the mean of the weights"
                )
            }
            mean.copy(from: try entry.tensor())
        }
    }
}
