import Foundation
import PerturbedEquations
import Safetensors
import TestSupport
import Testing

/// A state that does not belong here is refused by name, and the optimizer is as before.
@Suite struct StateRefusalTests {
    static func optimizer(
        _ rule: any UpdateRule = Adam(amsgrad: true), names: [String] = ["a", "b"],
        shapes: [[Int]] = [[4], [2, 3]],
        scalar: ScalarType = .float32, groups: [ParameterGroup] = [], seed: UInt64 = 1
    ) throws -> PerturbedOptimizer {
        try PerturbedOptimizer(
            parameters: zip(names, shapes).map { ParameterSpec($0, shape: $1, scalar: scalar) },
            equation: PerturbedEquation(
                rule: rule, stability: Stability(rollbackOnSpike: SpikeGuard(snapshotEvery: 2))),
            groups: groups, seed: seed)
    }

    static func advance(_ optimizer: PerturbedOptimizer, _ steps: Int) throws {
        let sizes = optimizer.parameters.map(\.count)
        let tensors = Tensors<Float>(sizes: sizes) { _, i in Float(i) }
        for step in 0..<steps {
            tensors.setGradient { _, i, theta in theta + Float(i + step) }
            try optimizer.step(tensors.buffers, loss: 1)
        }
    }

    /// A saved state of three steps, as a file in memory.
    static func saved(_ change: (inout [String: String], inout [TensorEntry]) throws -> Void = { _, _ in })
        throws
        -> SafetensorsFile
    {
        let optimizer = try optimizer()
        try advance(optimizer, 3)
        var metadata = try optimizer.stateMetadata()
        var tensors = try optimizer.stateSources().map { source in
            var data = Data()
            try source.bytes { data.append(contentsOf: $0) }
            return try TensorEntry(name: source.name, type: source.type, shape: source.shape, data: data)
        }
        try change(&metadata, &tensors)
        return try SafetensorsFile(tensors: tensors, metadata: metadata)
    }

    static func check(
        _ file: SafetensorsFile, into optimizer: PerturbedOptimizer, says words: String...,
        location: SourceLocation = #_sourceLocation
    ) throws {
        if optimizer.parameters.allSatisfy({ $0.scalar == .float32 }) { try advance(optimizer, 2) }
        let scalars = optimizer.scalars
        let state = try optimizer.stateBytes()
        let error = #expect(throws: (any Error).self, sourceLocation: location) {
            try optimizer.loadState(from: file)
        }
        let message = error.map { "\($0)" } ?? ""
        for word in words { #expect(message.contains(word), "\(message)", sourceLocation: location) }
        #expect(error is OptimizerStateError || error is SafetensorsError, sourceLocation: location)
        #expect(optimizer.scalars == scalars, sourceLocation: location)
        #expect(try optimizer.stateBytes() == state, sourceLocation: location)
    }

    @Test func theRightStateIsTaken() throws {
        let optimizer = try Self.optimizer()
        try optimizer.loadState(from: Self.saved())
        #expect(optimizer.step == 3)
    }

    /// States of builds that saved no seed.
    @Test func aStateWithoutASeedIsTaken() throws {
        let file = try Self.saved { metadata, _ in
            metadata["optimizer"] = metadata["optimizer"]?.replacingOccurrences(of: "\"seed\":1,", with: "")
        }
        #expect(file.metadata["optimizer"]?.contains("seed") == false)
        let optimizer = try Self.optimizer(seed: 2)
        try optimizer.loadState(from: file)
        #expect(optimizer.step == 3)
    }

    @Test func othersAreRefused() throws {
        let file = try Self.saved()
        try Self.check(file, into: Self.optimizer(SGD(learningRate: 1, momentum: 0.5)), says: "adam", "sgd")
        try Self.check(file, into: Self.optimizer(AdamW(amsgrad: true)), says: "adam", "adamW")
        try Self.check(file, into: Self.optimizer(Adam()), says: "max_exp_avg_sq")
        try Self.check(file, into: Self.optimizer(shapes: [[4], [3, 2]]), says: "b", "[2, 3]", "[3, 2]")
        try Self.check(file, into: Self.optimizer(names: ["a", "c"]), says: "c")
        try Self.check(file, into: Self.optimizer(names: ["a"], shapes: [[4]]), says: "1")
        try Self.check(file, into: Self.optimizer(scalar: .float64), says: "F32", "F64")
        try Self.check(
            file, into: Self.optimizer(names: ["a", "b", "c"], shapes: [[4], [2, 3], [1]]), says: "3")
        try Self.check(
            file, into: Self.optimizer(groups: [ParameterGroup(["b"], rule: Adam())]), says: "adam, adam")
        try Self.check(file, into: Self.optimizer(seed: .max), says: "seed 1", "18446744073709551615")
        let fork = try Self.optimizer(seed: 2)
        try fork.loadState(from: file, allowingOtherSeed: true)
        #expect(fork.step == 3)
    }

    @Test func damageIsRefused() throws {
        func text(_ metadata: [String: String]) -> String { metadata["optimizer"] ?? "" }
        for (from, to, word) in [
            ("\"format\":1", "\"format\":2", "format 2"), ("\"step\":3", "\"step\":-3", "-3"),
            ("\"step\":3", "\"step\":4294967296", "4294967296"), ("\"step\":3", "\"step\":\"x\"", "step"),
            ("\"updates\":[3,3]", "\"updates\":[3]", "updates"),
            ("\"updates\":[3,3]", "\"updates\":[3,-1]", "-1"),
            ("\"updates\":[3,3]", "\"updates\":[3,7]", "7"),
            ("\"strengthScale\":1", "\"strengthScale\":-2", "-2"),
            ("{", "[", "optimizer"),
        ] {
            let file = try Self.saved { metadata, _ in
                let changed = text(metadata).replacingOccurrences(of: from, with: to)
                #expect(changed != text(metadata), "\(from) is in \(text(metadata))")
                metadata["optimizer"] = changed
            }
            try Self.check(file, into: Self.optimizer(), says: word)
        }
        try Self.check(
            Self.saved { metadata, _ in metadata = [:] }, into: Self.optimizer(), says: "optimizer")
        for index in 0..<14 {
            let file = try Self.saved { _, tensors in
                if index < tensors.count { tensors.remove(at: index) } else { tensors.remove(at: 0) }
            }
            try Self.check(file, into: Self.optimizer(), says: "/")
        }
    }

    /// A file cut short anywhere is refused, and the state with it.
    @Test func aTruncatedFile() throws {
        let directory = try TemporaryDirectory()
        try Self.saved().write(to: directory.file("whole"))
        let whole = try Data(contentsOf: directory.file("whole"))
        let optimizer = try Self.optimizer()
        try Self.advance(optimizer, 2)
        let before = optimizer.scalars
        for length in stride(from: 0, to: whole.count, by: 7) {
            try whole.prefix(length).write(to: directory.file("cut"))
            #expect(throws: (any Error).self) { try optimizer.loadState(from: directory.file("cut")) }
            #expect(optimizer.scalars == before)
        }
        #expect(throws: FileError.self) { try optimizer.loadState(from: directory.file("none")) }
    }
}
