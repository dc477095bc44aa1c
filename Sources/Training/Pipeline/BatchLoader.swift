import Datasets
import Dispatch
import Torch

/// Examples as tensors: the model's input [n, …], and the targets: classes, int64 [n] or [n, length], or numbers, float32
/// [n, 1].
package struct Batch {
    package var inputs: Tensor
    package var targets: Tensor
    /// Examples.
    package var count: Int

    /// The same on the device that the model computes on.
    func moved(to device: Device) -> Batch {
        guard device != .cpu else { return self }
        return Batch(inputs: inputs.moved(to: device), targets: targets.moved(to: device), count: count)
    }
}

/// Where the steps of training get their batches from.
package protocol BatchSource {
    /// How many targets of some examples are asked for: a loss is a mean over them.
    func targetCount(of positions: ArraySlice<Int>) -> Int

    /// A training batch. Valid until the next call.
    /// - Throws: `TorchError` where there is no memory for it.
    func load(_ request: BatchLoader.Request) throws -> Batch
}

/// Fills tensors with examples, the same tensors again for batches of the same size.
///
/// What is expected next is prepared by a thread of its own while the model computes. A batch is a function of its request
/// alone, so that neither its bits nor their order depend on who prepared it, or on when.
package final class BatchLoader: BatchSource {
    /// One batch of training.
    package struct Request: Hashable, Sendable {
        package var positions: ArraySlice<Int>
        /// The logical step, which addresses noise.
        package var step: Int
        /// The epoch, which addresses augmentation.
        package var epoch: Int

        package init(_ positions: ArraySlice<Int>, step: Int, epoch: Int) {
            self.positions = positions
            self.step = step
            self.epoch = epoch
        }
    }

    /// A batch that is being prepared. `done` hands the tensors from one thread to the other.
    private final class Job: @unchecked Sendable {
        let batch: Batch
        private let done = DispatchSemaphore(value: 0)
        private var isKnownDone = false

        init(_ batch: Batch) { self.batch = batch }

        func finish() { done.signal() }

        func wait() {
            if !isKnownDone { done.wait() }
            isKnownDone = true
        }
    }

    /// Numbers of a batch below which another thread costs more than it saves.
    private static let leastNumbers = 1 << 15

    private let filler: BatchFiller
    private let kind: ExampleKind
    private let queue: DispatchQueue?
    /// The shape of a batch: its examples' lengths may differ.
    private struct Size: Hashable {
        var count: Int
        var length: Int
    }

    /// For batches that nobody expected.
    private var made: [Size: Batch] = [:]
    private var jobs: [Request: Job] = [:]
    private var spare: [Size: [Batch]] = [:]

    /// - Parameters:
    ///   - kind: of the examples.
    ///   - noise: what training does to the examples.
    ///   - inBackground: whether expected batches are prepared ahead.
    package init(
        _ split: DataSplit, of kind: ExampleKind, noise: BatchNoise? = nil, inBackground: Bool = false
    ) {
        filler = BatchFiller(split: split, kind: kind, noise: noise)
        self.kind = kind
        queue = inBackground ? DispatchQueue(label: "peo.batches", qos: .userInitiated) : nil
    }

    package func targetCount(of positions: ArraySlice<Int>) -> Int { filler.split.targetCount(of: positions) }

    /// Prepares these batches, in this order, while others are computed on; others that were expected are forgotten.
    /// - Throws: `TorchError` where there is no memory for them.
    package func expect(_ requests: [Request]) throws {
        guard let queue else { return }
        for (request, job) in jobs where !requests.contains(request) {
            job.wait()
            spare[size(of: request.positions), default: []].append(job.batch)
            jobs[request] = nil
        }
        for request in requests where jobs[request] == nil {
            let size = size(of: request.positions)
            guard size.count * size.length >= Self.leastNumbers else { continue }
            let job = Job(try spare[size]?.popLast() ?? make(size))
            jobs[request] = job
            queue.async { [filler] in
                filler.fill(job.batch, request)
                job.finish()
            }
        }
    }

    /// A training batch. Valid until the next call of this or ``expect(_:)``.
    package func load(_ request: Request) throws -> Batch {
        if let job = jobs[request] {
            job.wait()
            return job.batch
        }
        let batch = try reused(size(of: request.positions))
        filler.fill(batch, request)
        return batch
    }

    /// The examples at `positions` as they are. Valid until the next call.
    /// - Throws: `TorchError` where there is no memory for it.
    func load(_ positions: ArraySlice<Int>) throws -> Batch {
        let batch = try reused(size(of: positions))
        filler.fill(batch, positions)
        return batch
    }

    private func size(of positions: ArraySlice<Int>) -> Size {
        Size(count: positions.count, length: filler.split.length(of: positions))
    }

    private func reused(_ size: Size) throws -> Batch {
        let batch = try made[size] ?? make(size)
        made[size] = batch
        return batch
    }

    private func make(_ size: Size) throws -> Batch {
        let count = size.count
        let isTokens = if case .tokens = kind.input { true } else { false }
        let shape = [count] + (isTokens ? [size.length] : kind.inputShape)
        let inputs: Tensor = isTokens ? try .zeros(shape, dtype: .int64) : try .zeros(shape)
        let targets: Tensor =
            switch kind.target {
            case .oneClass: try .zeros([count], dtype: .int64)
            case .classPerToken: try .zeros(shape, dtype: .int64)
            case .number: try .zeros([count, 1])
            }
        return Batch(inputs: inputs, targets: targets, count: count)
    }
}

/// Writes examples into tensors: plain Swift, which any thread may run.
private struct BatchFiller: Sendable {
    let split: DataSplit
    let kind: ExampleKind
    let noise: BatchNoise?

    func fill(_ batch: Batch, _ request: BatchLoader.Request) {
        fill(batch, request.positions)
        noise?.apply(to: batch, request.positions, step: request.step, epoch: request.epoch)
    }

    func fill(_ batch: Batch, _ positions: ArraySlice<Int>) {
        batch.inputs.withUnsafeMutableBytes { inputs in
            batch.targets.withUnsafeMutableBytes { targets in
                switch (kind.input, kind.target) {
                case (.numbers, .number):
                    split.copyBatch(
                        positions, into: inputs.bindMemory(to: Float.self),
                        numbers: targets.bindMemory(to: Float.self))
                case (.numbers, _):
                    split.copyBatch(
                        positions, into: inputs.bindMemory(to: Float.self),
                        labels: targets.bindMemory(to: Int64.self))
                case (.tokens, _):
                    split.copyTokens(
                        positions, into: inputs.bindMemory(to: Int64.self),
                        targets: targets.bindMemory(to: Int64.self))
                }
            }
        }
    }
}
