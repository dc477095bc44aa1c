import Datasets
import PerturbedEquations
import Torch
import TorchNN

extension Trainer {
    /// Runs `body` with the weights that the run is judged by: their mean where the settings ask for one.
    func withJudgedWeights<Result>(_ body: () throws -> Result) throws -> Result {
        guard let averager else { return try body() }
        return try averager.inModel(learn: learnStatistics, body)
    }

    /// Gives batch normalisation the statistics of the training data under the weights that the model has: plain means
    /// over the batches of one epoch, of its own order, with the noise and the views that training gives its data.
    ///
    /// Those that came with the steps belong to other weights. PyTorch's `torch.optim.swa_utils.update_bn`.
    func learnStatistics() throws {
        let norms = plan.model.submodules(of: BatchNorm.self)
        guard !norms.isEmpty else { return }
        for norm in norms { norm.resetStatistics() }
        let key = NoiseKey(seed: plan.settings.seed).derived("statistics")
        let loader = BatchLoader(plan.data.train, of: plan.data.kind, noise: try plan.noise())
        let batches = plan.data.train.order(key: key, epoch: 0).batches(of: plan.settings.batchSize)
        try withoutGradients { () throws in
            for (number, batch) in batches.enumerated() {
                for (part, positions) in microBatches(batch).enumerated() {
                    let inputs = try loader.load(.init(positions, step: number, epoch: 0)).inputs
                        .moved(to: plan.settings.device)
                    var context = ForwardContext(
                        training: true, seed: key.derived(UInt64(part)).word(UInt64(number)),
                        sigma: training.sigma)
                    context.averagesStatistics = true
                    _ = plan.settings.precision.forward(plan.model, inputs, context)
                    try Libtorch.checkHeldFailure()
                }
            }
        }
    }
}
