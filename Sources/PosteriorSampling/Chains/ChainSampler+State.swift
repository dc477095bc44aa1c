import Foundation
import PerturbedEquations
import Safetensors

/// Where a sampler stands, as tensors and text to put into a checkpoint: θ and the rule's state of every chain, and the draws
/// that are not yet in a part.
///
/// Chain c's parameters are `chain.<c>/parameter/<name>` and its optimizer's state is `chain.<c>/state/…`; waiting draws are
/// `waiting/…`; the metadata have the numbers under `sampler` and `chain.<c>`.
extension ChainSampler {
    private struct Numbers: Codable {
        var chains: Int
        var step: Int
        var parts: Int
        var firstDraw: Int
        var waiting: Int
        var perPart: Int
        var skipped: [Int]
        var firstEnergies: [Double]
        var energies: [Double]
    }

    private static let key = "sampler"
    private static let waitingPrefix = "waiting/"

    private static func prefix(_ chain: Int) -> String { "chain.\(chain)/" }

    /// The tensors, to be written without a copy; valid until the next step.
    public func stateSources() throws -> [TensorSource] {
        var sources: [TensorSource] = []
        for (number, chain) in chains.enumerated() {
            let prefix = Self.prefix(number)
            for (place, spec) in chain.optimizer.parameters.enumerated() {
                sources.append(
                    TensorSource(
                        name: "\(prefix)parameter/\(spec.name)", type: spec.scalar.tensorType,
                        shape: spec.shape
                    ) { write in
                        try chain.withParameters { try write(UnsafeRawBufferPointer($0[place])) }
                    })
            }
            sources += (chain.optimizer.stateSources() + chain.keptSources()).map { source in
                var renamed = source
                renamed.name = prefix + source.name
                return renamed
            }
        }
        return sources + (try writer.sources(prefix: Self.waitingPrefix))
    }

    public func stateMetadata() throws -> [String: String] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        let numbers = Numbers(
            chains: chains.count, step: step, parts: writer.part, firstDraw: writer.first,
            waiting: writer.waiting, perPart: writer.perPart, skipped: Array(skipped),
            firstEnergies: firstEnergies, energies: energies)
        var metadata = [Self.key: String(decoding: try encoder.encode(numbers), as: UTF8.self)]
        for (number, chain) in chains.enumerated() {
            metadata["chain.\(number)"] = try chain.optimizer.stateMetadata()["optimizer"]
        }
        return metadata
    }

    /// Goes on where a state was saved, in the same store; parts that were written later are removed.
    ///
    /// - Throws: ``SamplingStateError`` for the state of other chains; `OptimizerStateError`, `SafetensorsError`; `FileError`.
    public func restore(from file: SafetensorsFile) throws {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        guard let text = file.metadata[Self.key],
            let numbers = try? decoder.decode(Numbers.self, from: Data(text.utf8))
        else {
            throw SamplingStateError(
                message: "\(file.name): holds no sampler (no '\(Self.key)' in its metadata)")
        }
        guard numbers.chains == chains.count, numbers.skipped.count == chains.count,
            numbers.firstEnergies.count == chains.count, numbers.energies.count == chains.count
        else {
            throw SamplingStateError(
                message: "\(file.name): holds \(numbers.chains) chains; this sampler has \(chains.count)")
        }
        guard (0...schedule.steps).contains(numbers.step), numbers.perPart == writer.perPart,
            numbers.firstDraw + numbers.waiting == schedule.draws(after: numbers.step)
        else {
            throw SamplingStateError(
                message:
                    "\(file.name): holds \(numbers.firstDraw + numbers.waiting) draws after step \(numbers.step); "
                    + "this sampler's schedule has \(schedule.draws(after: numbers.step))")
        }
        for (number, chain) in chains.enumerated() {
            let prefix = Self.prefix(number)
            let entries = try file.tensors.filter { $0.name.hasPrefix(prefix) }.map {
                try TensorEntry(
                    name: String($0.name.dropFirst(prefix.count)), type: $0.type, shape: $0.shape,
                    data: $0.data)
            }
            var metadata: [String: String] = [:]
            metadata["optimizer"] = file.metadata["chain.\(number)"]
            let own = try SafetensorsFile(tensors: entries, metadata: metadata)
            try chain.optimizer.loadState(from: own)
            let found = try chain.optimizer.parameters.map {
                try own.tensor("parameter/\($0.name)", type: $0.scalar.tensorType, shape: $0.shape)
            }
            try chain.withParameters { memory in
                for (entry, bytes) in zip(found, memory) { entry.data.copyBytes(to: bytes) }
            }
            try chain.restoreKept(from: own)
        }
        try writer.restore(
            part: numbers.parts, first: numbers.firstDraw, waiting: numbers.waiting, from: file,
            prefix: Self.waitingPrefix)
        step = numbers.step
        firstEnergies = numbers.firstEnergies
        energies = numbers.energies
        for (chain, count) in numbers.skipped.enumerated() { skipped[chain] = count }
        try readHistory()
    }

    /// The functions' values of the parts that are written, and of the draws that wait.
    private func readHistory() throws {
        history = DrawHistory(functions: functions.count, chains: chains.count)
        if writer.first > 0, case .directory(let directory) = writer.store {
            let samples = try Samples(contentsOf: directory)
            guard samples.draws == writer.first, samples.functions == functions else {
                throw SamplingStateError(
                    message: "\(directory.path) holds \(samples.draws) draws, and the checkpoint knows of "
                        + "\(writer.first): parts were removed or changed")
            }
            let values = try functions.map { try samples.function($0).draws }
            history.append(samples.draws) { values[$0][$1][$2] }
        }
        history.append(writer.waiting) { writer.value($0, chain: $1, slot: $2) }
    }
}

/// A state that belongs to other chains.
public struct SamplingStateError: Error, Sendable, CustomStringConvertible {
    public let message: String
    public var description: String { message }
}
