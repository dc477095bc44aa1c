// A network of your own, in one file, trained as `peo train` trains its own: a residual network on the built-in digits.
//
//     swift run -c release CustomModel
//
// The run is a directory like any other: `peo report runs/custom-model` draws its curves, and `model.safetensors` has its weights
// under the names below, which PyTorch reads.

import Datasets
import Foundation
import PerturbedEquations
import Torch
import TorchNN
import Training

struct ResidualNetwork: Module {
    let first, inner, last: Linear

    init(seed: UInt64) throws {
        first = try Linear(64, 128, seed: seed)
        inner = try Linear(128, 128, seed: seed + 1)
        last = try Linear(128, 10, seed: seed + 2)
    }

    var children: [NamedModule] {
        [NamedModule("first", first), NamedModule("inner", inner), NamedModule("last", last)]
    }

    func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        let h = first.forward(x.flattened(from: 1), context).relu()
        return last.forward(h + inner.forward(h, context).relu(), context)
    }
}

let plan = TrainingPlan(
    name: "custom-model", modelName: "residual", model: try ResidualNetwork(seed: 1),
    data: try DatasetCatalogue.load("digits"),
    equation: PerturbedEquation(
        rule: Adam(learningRate: Scheduled(CosineSchedule(from: 2e-3))),
        perturbation: Gaussian(sigma: .relative(0.1)), stability: Stability(clipGlobalNorm: 1)),
    settings: TrainingSettings(epochs: 20))
let run = try RunDirectory.create(at: URL(fileURLWithPath: "runs/custom-model"), config: "")
let trainer = try Trainer(
    plan: plan, optimizer: plan.makeOptimizer(), run: run, reporter: ProgressReporter(), version: "example")
print("accuracy \(percent(try trainer.train().test.accuracy ?? .nan)) in \(run.url.relativePath)")
