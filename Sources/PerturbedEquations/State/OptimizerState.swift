import Foundation
import Safetensors

/// Everything of an optimizer that is a number and not a tensor.
public struct OptimizerScalars: Sendable, Codable, Hashable {
    /// The version of this layout that this build writes.
    public static let currentFormat = 1

    public var format = OptimizerScalars.currentFormat
    public var step: Int
    /// What selects the noise; nil in states of builds that did not save it.
    public var seed: UInt64?
    /// Updates of each parameter so far.
    public var updates: [Int]
    public var counts: StabilityCounts
    /// The rule of each group, by name, the equation's first.
    public var rules: [String]
    var memory: SpikeGuard.Memory
    var snapshotUpdates: [Int]?
    /// The rules' numbers of each parameter; nil where no rule keeps any.
    package var ruleMemory: [SIMD4<Double>]?
    var snapshotRuleMemory: [SIMD4<Double>]?
    /// The parameter perturbation's name and the numbers that it keeps; nil where there is none.
    var parameterPerturbation: String?
    var objectiveMemory: [Double]?
    var snapshotObjectiveMemory: [Double]?
    /// How often objectives were evaluated.
    var evaluations: EvaluationCounts?
    /// Where the controllers stand; nil where there are none.
    var controllers: [ControllerState]?
    var snapshotControllers: [ControllerState]?
    /// The terms' numbers, per parameter; nil where no term keeps any.
    package var termMemory: [SIMD4<Double>]?
    var snapshotTermMemory: [SIMD4<Double>]?
    /// Whether the tensors that terms keep are in the file; nil where no term keeps any.
    var termTensors: Bool?
}

/// A saved state that does not belong to this optimizer: what differs.
public struct OptimizerStateError: Error, Hashable, Sendable, CustomStringConvertible {
    public let message: String
    public var description: String { message }
}

/// State to and from safetensors.
///
/// A file holds `state/<parameter>/<name>` for each state tensor (`state/fc.weight/exp_avg`), named as in
/// PyTorch, `parameterPerturbation/<parameter>/<name>` for what a parameter perturbation keeps,
/// `term/<number>/<parameter>/<name>` for each tensor that a term keeps, and under the spike guard a `snapshot/…`
/// of θ and these; the numbers are JSON in the metadata under `optimizer`. θ itself is not part of it. With θ restored
/// too, the next step gives the same bits as if nothing had happened.
///
/// ```python
/// from safetensors.torch import load_file
/// load_file("optimizer.safetensors")["state/fc.weight/exp_avg"]
/// ```
extension PerturbedOptimizer {
    /// The numbers of the state.
    public var scalars: OptimizerScalars {
        OptimizerScalars(
            step: step, seed: seed, updates: updates, counts: counts,
            rules: groups.map { type(of: $0.rule).catalogueEntry.name }, memory: memory,
            snapshotUpdates: snapshot?.updates, ruleMemory: ruleMemory.isEmpty ? nil : ruleMemory,
            snapshotRuleMemory: ruleMemory.isEmpty ? nil : snapshot?.ruleMemory,
            parameterPerturbation: parameterPerturbation.map { type(of: $0).catalogueEntry.name },
            objectiveMemory: objectiveMemory.isEmpty ? nil : objectiveMemory,
            snapshotObjectiveMemory: objectiveMemory.isEmpty ? nil : snapshot?.objectiveMemory,
            evaluations: evaluations, controllers: controllerStates.isEmpty ? nil : controllerStates,
            snapshotControllers: controllerStates.isEmpty ? nil : snapshot?.controllers,
            termMemory: termMemory.isEmpty ? nil : termMemory,
            snapshotTermMemory: termMemory.isEmpty ? nil : snapshot?.termMemory,
            termTensors: termTensors.isEmpty ? nil : termsAreInitialised)
    }

    /// The metadata that belongs to `stateSources`.
    public func stateMetadata() throws -> [String: String] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return ["optimizer": String(decoding: try encoder.encode(scalars), as: UTF8.self)]
    }

    /// The state tensors, to be written without a copy. Valid until the next step.
    public func stateSources() -> [TensorSource] {
        var sources: [TensorSource] = []
        for (index, spec) in parameters.enumerated() {
            for (name, tensor) in zip(stateNames(of: index), state[index].tensors) {
                sources.append(
                    TensorSource(
                        name: "state/\(spec.name)/\(name)", type: spec.scalar.arithmetic.tensorType,
                        shape: spec.shape
                    ) { write in try write(UnsafeRawBufferPointer(tensor)) })
            }
            for (name, tensor) in zip(objectiveNames, objectiveState[index].tensors) {
                sources.append(
                    TensorSource(
                        name: "parameterPerturbation/\(spec.name)/\(name)",
                        type: spec.scalar.arithmetic.tensorType, shape: spec.shape
                    ) { write in try write(UnsafeRawBufferPointer(tensor)) })
            }
        }
        if termsAreInitialised { sources += keptTensors().map(\.source) }
        guard let snapshot else { return sources }
        for (index, spec) in parameters.enumerated() {
            let saved =
                [("parameter", spec.scalar, snapshot.parameters[index])]
                + zip(stateNames(of: index), snapshot.state[index]).map {
                    ("state/\($0)", spec.scalar.arithmetic, $1)
                }
                + zip(objectiveNames, snapshot.objective[index]).map {
                    ("parameterPerturbation/\($0)", spec.scalar.arithmetic, $1)
                }
            for (name, scalar, data) in saved {
                sources.append(
                    TensorSource(
                        name: "snapshot/\(spec.name)/\(name)", type: scalar.tensorType, shape: spec.shape
                    ) { write in try data.withUnsafeBytes { try write($0) } })
            }
        }
        for (companion, data) in zip(companions, snapshot.companions) {
            sources.append(
                TensorSource(name: companion.fileName, type: companion.type, shape: companion.shape) {
                    write in
                    try data.withUnsafeBytes { try write($0) }
                })
        }
        return sources
    }

    /// Writes the state to a file, atomically.
    ///
    /// - Throws: `FileError` if it cannot be written; an existing file is then untouched.
    public func saveState(to url: URL) throws {
        try SafetensorsFile.write(stateSources(), metadata: try stateMetadata(), to: url)
    }

    /// Reads a state that `saveState` (or a checkpoint with `stateSources` in it) wrote.
    ///
    /// - Parameter allowingOtherSeed: lets a state go on under another seed, with other noise from here on: a fork.
    /// - Throws: `OptimizerStateError` if it belongs to another equation, seed or other parameters or a later
    ///   format, `SafetensorsError` for a missing or misshapen tensor. The optimizer is then unchanged.
    public func loadState(from file: SafetensorsFile, allowingOtherSeed: Bool = false) throws {
        let scalars = try Self.scalars(in: file)
        let own = self.scalars.rules
        guard scalars.rules == own else {
            throw OptimizerStateError(
                message: "\(file.name): was written by the rule \(scalars.rules.joined(separator: ", ")); "
                    + "this optimizer has \(own.joined(separator: ", "))")
        }
        if let other = scalars.seed, other != seed, !allowingOtherSeed {
            throw OptimizerStateError(
                message: "\(file.name): was written under the seed \(other); this optimizer has "
                    + "\(seed), whose noise is another")
        }
        guard scalars.parameterPerturbation == self.scalars.parameterPerturbation else {
            throw OptimizerStateError(
                message: "\(file.name): was written with the parameter perturbation "
                    + "\(scalars.parameterPerturbation ?? "none"); this optimizer has "
                    + "\(self.scalars.parameterPerturbation ?? "none")")
        }
        try check(scalars, file.name)
        try refuseOtherTensors(in: file)
        func state(_ name: String, _ spec: ParameterSpec) throws -> TensorEntry {
            try file.tensor(name, type: spec.scalar.arithmetic.tensorType, shape: spec.shape)
        }
        var loaded: [[TensorEntry]] = []
        for (index, spec) in parameters.enumerated() {
            loaded.append(try stateNames(of: index).map { try state("state/\(spec.name)/\($0)", spec) })
        }
        let objective = try parameters.map { spec in
            try objectiveNames.map { try state("parameterPerturbation/\(spec.name)/\($0)", spec) }
        }
        let kept = scalars.termTensors == true ? try loadedTensors(of: file) : []
        var restored: Snapshot?
        if let snapshotUpdates = scalars.snapshotUpdates {
            restored = Snapshot(
                parameters: try parameters.map {
                    Data(
                        try file.tensor(
                            "snapshot/\($0.name)/parameter", type: $0.scalar.tensorType, shape: $0.shape
                        ).data)
                },
                state: try parameters.enumerated().map { index, spec in
                    try stateNames(of: index).map {
                        Data(try state("snapshot/\(spec.name)/state/\($0)", spec).data)
                    }
                }, updates: snapshotUpdates, ruleMemory: scalars.snapshotRuleMemory ?? [],
                objective: try parameters.map { spec in
                    try objectiveNames.map {
                        Data(try state("snapshot/\(spec.name)/parameterPerturbation/\($0)", spec).data)
                    }
                }, objectiveMemory: scalars.snapshotObjectiveMemory ?? [],
                controllers: scalars.snapshotControllers ?? [],
                companions: try companions.map { companion in
                    // Of a state that was saved without: what holds now is the best that there is.
                    guard file[companion.fileName] != nil else { return companion.read() }
                    return Data(
                        try file.tensor(companion.fileName, type: companion.type, shape: companion.shape).data
                    )
                }, termMemory: scalars.snapshotTermMemory ?? [])
        }
        for (memory, entries) in zip(self.state + objectiveState, loaded + objective) {
            for (tensor, entry) in zip(memory.tensors, entries) { entry.data.copyBytes(to: tensor) }
        }
        for (tensor, entry) in kept { entry.data.copyBytes(to: tensor) }
        termsAreInitialised = termTensors.isEmpty || scalars.termTensors == true
        step = scalars.step
        updates = scalars.updates
        termMemory = scalars.termMemory ?? []
        ruleMemory = scalars.ruleMemory ?? []
        counts = scalars.counts
        memory = scalars.memory
        controllerStates = scalars.controllers ?? []
        snapshot = restored
        objectiveMemory = scalars.objectiveMemory ?? []
        evaluations = scalars.evaluations ?? EvaluationCounts(gradients: scalars.step)
    }

    /// Reads a state from a file.
    public func loadState(from url: URL, allowingOtherSeed: Bool = false) throws {
        try loadState(from: SafetensorsFile(contentsOf: url), allowingOtherSeed: allowingOtherSeed)
    }

    private static func scalars(in file: SafetensorsFile) throws -> OptimizerScalars {
        struct Header: Decodable { let format: Int }
        guard let text = file.metadata["optimizer"] else {
            throw OptimizerStateError(
                message: "\(file.name): holds no optimizer state (no `optimizer` in its metadata)")
        }
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        do {
            let format = try decoder.decode(Header.self, from: Data(text.utf8)).format
            guard format == OptimizerScalars.currentFormat else {
                throw OptimizerStateError(
                    message: "\(file.name): optimizer state of format \(format); this build reads format "
                        + "\(OptimizerScalars.currentFormat)")
            }
            return try decoder.decode(OptimizerScalars.self, from: Data(text.utf8))
        } catch let error as DecodingError {
            throw OptimizerStateError(message: "\(file.name): its optimizer state cannot be read: \(error)")
        }
    }

    /// Refuses numbers that no run can have reached.
    private func check(_ scalars: OptimizerScalars, _ name: String) throws {
        func refuse(_ what: String) -> OptimizerStateError {
            OptimizerStateError(message: "\(name): its optimizer state is damaged: \(what)")
        }
        guard 0..<(1 << 32) ~= scalars.step else { throw refuse("step \(scalars.step)") }
        for updates in [scalars.updates, scalars.snapshotUpdates ?? updates] {
            guard updates.count == parameters.count else {
                throw OptimizerStateError(
                    message: "\(name): holds the updates of \(updates.count) parameters; this optimizer has "
                        + "\(parameters.count)")
            }
            guard updates.allSatisfy({ 0...scalars.step ~= $0 }) else {
                throw refuse("updates \(updates) at step \(scalars.step)")
            }
        }
        try checkMemory(scalars.ruleMemory, ruleMemory.count, of: "rule", name)
        try checkMemory(scalars.termMemory, termMemory.count, of: "terms", name)
        var kept = [scalars.objectiveMemory ?? []]
        if scalars.snapshotUpdates != nil {
            try checkMemory(scalars.snapshotRuleMemory, ruleMemory.count, of: "rule", name)
            try checkMemory(scalars.snapshotTermMemory, termMemory.count, of: "terms", name)
            kept.append(scalars.snapshotObjectiveMemory ?? [])
        }
        for numbers in kept where numbers.count != objectiveMemory.count {
            throw refuse("\(numbers.count) numbers of the parameter perturbation")
        }
        try checkControllers(scalars.controllers, name)
        if scalars.snapshotUpdates != nil { try checkControllers(scalars.snapshotControllers, name) }
        let scale = scalars.memory.strengthScale
        guard 0...1 ~= scale, scalars.memory.attempts >= 0, scalars.memory.acceptedSinceRollback >= 0 else {
            throw refuse("spike guard \(scalars.memory)")
        }
    }

    private func checkControllers(_ states: [ControllerState]?, _ name: String) throws {
        let (names, own) = ((states ?? []).map(\.name), controllerStates.map(\.name))
        guard names == own else {
            func list(_ names: [String]) -> String { names.isEmpty ? "none" : names.joined(separator: ", ") }
            throw OptimizerStateError(
                message:
                    "\(name): holds the state of the controllers \(list(names)); this optimizer has \(list(own))"
            )
        }
        for state in states ?? [] where !(state.factor >= 0 && state.factor.isFinite) {
            throw OptimizerStateError(
                message:
                    "\(name): its optimizer state is damaged: the factor \(state.factor) of \(state.name)")
        }
    }

    private func checkMemory(
        _ memory: [SIMD4<Double>]?, _ count: Int, of what: String, _ name: String
    ) throws {
        let values = memory ?? []
        guard values.count == count else {
            throw OptimizerStateError(
                message: "\(name): holds \(values.count) of the \(what)'s numbers; this optimizer keeps "
                    + "\(count): its \(what) has other settings")
        }
        guard values.allSatisfy({ value in value.indices.allSatisfy { value[$0].isFinite } }) else {
            throw OptimizerStateError(
                message: "\(name): its optimizer state is damaged: \(what) memory \(values)")
        }
    }

    /// Refuses a file with state that this optimizer would drop: of other parameters, or of other settings
    /// of its rule.
    private func refuseOtherTensors(in file: SafetensorsFile) throws {
        let own = Set(stateSources().map(\.name) + keptTensors().map(\.source.name))
        let prefixes = ["state/", "parameterPerturbation/", "term/"]
        let other = file.tensors.map(\.name).filter { name in
            prefixes.contains { name.hasPrefix($0) } && !own.contains(name)
        }
        if let first = other.first {
            throw OptimizerStateError(
                message: "\(file.name): holds \(first), which is no state of this optimizer; its rule "
                    + "or terms have other settings or its parameters are others")
        }
    }

    private var objectiveNames: [String] { parameterPerturbation?.storedNames ?? [] }

    private func stateNames(of index: Int) -> [String] {
        groups[groupOf[index]].rule.stateNames
    }
}

extension ScalarType {
    /// The same type in a safetensors file.
    public var tensorType: TensorType {
        switch self {
        case .float32: .float32
        case .float64: .float64
        case .bfloat16: .bfloat16
        }
    }
}
