import BayesianLearning
import Datasets
import Foundation
import Models
import Torch
import TorchNN

/// A linear model whose members have weights that a test writes down, on examples that a test writes down.
struct ScriptedMembers {
    let model: any Module
    let data: DataSplit
    let kind: ExampleKind
    let members: ModelMembers

    /// Example i is the i-th unit vector, so that a member's scores of it are a column of its weights, exactly.
    /// - Parameter scores: of each member, example and class.
    init(scores: [[[Float]]], targets: [Int64]) throws {
        let examples = targets.count
        try self.init(
            examples: (0..<examples).map { i in (0..<examples).map { $0 == i ? 1 : 0 } }, targets: targets,
            classes: scores[0][0].count,
            weights: scores.map { own in own[0].indices.map { label in own.map { $0[label] } } })
    }

    /// - Parameter weights: of each member, [class][feature].
    init(examples: [[Float]], targets: [Int64], classes: Int, weights: [[[Float]]]) throws {
        data = try DataSplit(
            features: Array(examples.joined()), labels: targets, exampleSize: examples[0].count,
            named: "scripted")
        kind = .numbers([examples[0].count], classes: classes)
        model = try MLP(hidden: []).build(for: kind, seed: 1)
        members = Self.members(weights)
    }

    /// Predicts the example's number as a column of the members' weights.
    /// - Parameter means: standardised, of each member and example.
    init(means: [[Float]], targets: [Float], scale: TargetScale) throws {
        let examples = targets.count
        data = try DataSplit(
            features: (0..<examples).flatMap { i in (0..<examples).map { $0 == i ? Float(1) : 0 } },
            numbers: targets, exampleSize: examples, named: "scripted")
        kind = .numbers([examples], predicting: scale)
        model = try MLP(hidden: []).build(for: kind, seed: 1)
        members = Self.members(means.map { [$0] })
    }

    private static func members(_ weights: [[[Float]]]) -> ModelMembers {
        ModelMembers(
            weights.map { own in
                { (model: any Module) throws -> Void in
                    let (weight, bias) = (model.parameters[0].tensor, model.parameters[1].tensor)
                    weight.copy(from: try Tensor(Array(own.joined()), shape: [own.count, own[0].count]))
                    bias.copy(from: try Tensor([Float](repeating: 0, count: own.count), shape: [own.count]))
                }
            })
    }

    func classes() throws -> ClassPosterior {
        try ClassPosterior.measure(members, model, on: data, of: kind)
    }

    func predictions() throws -> ClassPredictions {
        try ClassPredictions.collect(members, model, on: [(data, true)], of: kind)[0]
    }
}
