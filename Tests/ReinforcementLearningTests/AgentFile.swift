import Foundation
import PerturbedEquations
import ReinforcementLearning
import Safetensors
import TestSupport
import Torch
import TorchNN

/// A whole agent in one file, as a checkpoint keeps it.
enum AgentFile {
    static func weights(_ learner: any Learner) -> [TensorSource] {
        learner.networks.flatMap { $0.module.stateSources(prefix: "\($0.name).") }
    }

    static func save(_ learner: any Learner, to url: URL) throws {
        let state = try learner.state()
        for (name, optimizer) in learner.optimizers {
            try SafetensorsFile.write(
                optimizer.stateSources(), metadata: optimizer.core.stateMetadata(),
                to: url.appendingPathExtension(name))
        }
        try SafetensorsFile.write(weights(learner) + state.tensors, metadata: state.metadata, to: url)
    }

    static func load(_ learner: any Learner, from url: URL) throws {
        let file = try SafetensorsFile(contentsOf: url)
        for network in learner.networks {
            try network.module.loadState(from: file, prefix: "\(network.name).")
        }
        for (name, optimizer) in learner.optimizers {
            try optimizer.loadState(from: SafetensorsFile(contentsOf: url.appendingPathExtension(name)))
        }
        try learner.restore(file.metadata, from: file)
    }

    /// Everything that an agent is, to compare bits: every tensor by its name, and what is text. The copies' snapshot is
    /// JSON in any order; where the copies stand shows in what they are played on.
    static func contents(_ learner: any Learner) throws -> [String: Data] {
        let directory = try TemporaryDirectory()
        try save(learner, to: directory.file("agent"))
        var all: [String: Data] = [:]
        func add(_ url: URL, _ prefix: String) throws {
            let file = try SafetensorsFile(contentsOf: url)
            for tensor in file.tensors { all[prefix + tensor.name] = Data(tensor.data) }
            for (name, text) in file.metadata where name != "environment" {
                guard text.hasPrefix("{") else {
                    all[prefix + name] = Data(text.utf8)
                    continue
                }
                let object = try JSONSerialization.jsonObject(with: Data(text.utf8))
                all[prefix + name] = try JSONSerialization.data(
                    withJSONObject: object, options: .sortedKeys)
            }
        }
        try add(directory.file("agent"), "")
        for (name, _) in learner.optimizers {
            try add(directory.file("agent").appendingPathExtension(name), "optimizer.\(name).")
        }
        return all
    }

    /// The names under which two agents differ.
    static func differences(_ a: any Learner, _ b: any Learner) throws -> [String] {
        let (a, b) = (try contents(a), try contents(b))
        return Set(a.keys).union(b.keys).filter { a[$0] != b[$0] }.sorted()
    }
}
