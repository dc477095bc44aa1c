import Foundation
import PerturbedEquations
import Safetensors

/// Gathers draws of all chains, and writes them to a ``SampleStore`` whenever a part is full.
///
/// A part's tensors are [chains, draws, …]; each chain writes to memory of its own.
final class SampleWriter {
    let store: SampleStore
    let parameters: [ParameterSpec]
    let functions: [String]
    let chains: Int
    /// Draws of each chain in a whole part: a function of the settings alone, so that files do not depend on when they
    /// were written.
    let perPart: Int
    /// The number of the next part, and of its first draw.
    private(set) var part = 0
    private(set) var first = 0
    /// Draws of each chain that wait in memory.
    private(set) var waiting = 0
    /// The parts that were written, where they are kept in memory.
    private(set) var kept: [SafetensorsFile] = []
    private let tensors: [UnsafeMutableRawBufferPointer]
    private let values: UnsafeMutableBufferPointer<Double>
    private let steps: UnsafeMutableBufferPointer<Int64>

    /// What the draws of a part may take in memory.
    private static let memory = 16 << 20
    /// Parts of a run at least, where its draws are enough: a run that explodes or is looked at has most of its draws.
    private static let leastParts = 16

    /// - Parameter draws: of each chain, in the whole run.
    init(
        _ store: SampleStore, parameters: [ParameterSpec], functions: [String], chains: Int, draws: Int
    ) {
        self.store = store
        self.parameters = parameters
        self.functions = functions
        self.chains = chains
        let bytes = parameters.reduce(8 * (functions.count + 1)) { $0 + $1.count * $1.scalar.size } * chains
        perPart = max(1, min(Self.memory / bytes, (draws + Self.leastParts - 1) / Self.leastParts))
        tensors = parameters.map { [perPart] spec in
            .allocate(byteCount: max(1, chains * perPart * spec.count * spec.scalar.size), alignment: 64)
        }
        values = .allocate(capacity: max(1, functions.count * chains * perPart))
        steps = .allocate(capacity: perPart)
    }

    deinit {
        for tensor in tensors { tensor.deallocate() }
        values.deallocate()
        steps.deallocate()
    }

    /// Draws of each chain so far.
    var draws: Int { first + waiting }
    /// Draws of each chain that still fit the part.
    var room: Int { perPart - waiting }

    /// Writes a draw of a chain; several chains may at once.
    /// - Parameters:
    ///   - place: the draw's place among those that come after ``draws``, below ``room``.
    ///   - values: of the functions after `energy`.
    func put(
        chain: Int, place: Int, step: Int, _ parameters: [UnsafeMutableRawBufferPointer], energy: Double,
        _ values: [Double]
    ) {
        let slot = waiting + place
        for (tensor, source) in zip(tensors, parameters) {
            UnsafeMutableRawBufferPointer(rebasing: tensor[((chain * perPart + slot) * source.count)...])
                .copyMemory(from: UnsafeRawBufferPointer(source))
        }
        self.values[chain * perPart + slot] = energy
        for (number, value) in values.enumerated() {
            self.values[((number + 1) * chains + chain) * perPart + slot] = value
        }
        // Of all chains the same.
        if chain == 0 { steps[slot] = Int64(step) }
    }

    /// A function's value of a draw that was put.
    func value(_ function: Int, chain: Int, place: Int) -> Double {
        value(function, chain: chain, slot: waiting + place)
    }

    /// A function's value of a draw of the part.
    func value(_ function: Int, chain: Int, slot: Int) -> Double {
        values[(function * chains + chain) * perPart + slot]
    }

    /// Takes in what was put at the first `count` places by all chains, and writes the part if it is full.
    /// - Throws: `FileError`.
    func commit(_ count: Int) throws {
        waiting += count
        if waiting == perPart { try flush() }
    }

    /// Writes what waits as a part, perhaps a short one.
    /// - Throws: `FileError`.
    func flush() throws {
        guard waiting > 0 else { return }
        let header = SampleHeader(
            chains: chains, first: first, draws: waiting, parameters: parameters.map(\.name),
            functions: functions)
        let metadata = [SampleHeader.key: String(decoding: try Self.encoder.encode(header), as: UTF8.self)]
        switch store {
        case .memory:
            kept.append(
                try SafetensorsFile(
                    data: SafetensorsFile(
                        tensors: try sources().map { source in
                            var data = Data()
                            try source.bytes { data.append(contentsOf: $0) }
                            return try TensorEntry(
                                name: source.name, type: source.type, shape: source.shape, data: data)
                        }, metadata: metadata
                    ).encoded()))
        case .directory(let directory):
            try SafetensorsFile.write(
                try sources(), metadata: metadata,
                to: directory.appendingPathComponent(SampleStore.name(ofPart: part)))
        }
        part += 1
        first += waiting
        waiting = 0
    }

    private static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return encoder
    }

    /// What waits, as tensors of a part.
    /// - Parameter prefix: put before every name.
    func sources(prefix: String = "") throws -> [TensorSource] {
        let waiting = waiting
        var sources = zip(parameters, tensors).map { spec, tensor in
            let bytes = spec.count * spec.scalar.size
            return TensorSource(
                name: prefix + spec.name, type: spec.scalar.tensorType, shape: [chains, waiting] + spec.shape
            ) { [chains, perPart] write in
                for chain in 0..<chains {
                    let first = chain * perPart * bytes
                    try write(UnsafeRawBufferPointer(rebasing: tensor[first..<(first + waiting * bytes)]))
                }
            }
        }
        for (number, name) in functions.enumerated() {
            sources.append(
                TensorSource(
                    name: "\(prefix)function/\(name)", type: .float64, shape: [chains, waiting]
                ) { [chains, perPart, values] write in
                    for chain in 0..<chains {
                        let first = (number * chains + chain) * perPart
                        try write(
                            UnsafeRawBufferPointer(
                                UnsafeBufferPointer(
                                    rebasing: UnsafeBufferPointer(values)[first..<(first + waiting)])))
                    }
                })
        }
        sources.append(
            TensorSource(name: "\(prefix)step", type: .int64, shape: [waiting]) { [steps] write in
                try write(
                    UnsafeRawBufferPointer(
                        UnsafeBufferPointer(rebasing: UnsafeBufferPointer(steps)[..<waiting])))
            })
        return sources
    }

    /// Goes on after `part` parts with `first` draws, and with the draws that waited then; later parts are removed.
    /// - Throws: `SafetensorsError`, `FileError`.
    func restore(part: Int, first: Int, waiting: Int, from file: SafetensorsFile, prefix: String) throws {
        guard (0..<perPart).contains(waiting) else {
            throw SafetensorsError(
                .shape, "\(file.name): \(waiting) draws wait in it, and a part has \(perPart) at most")
        }
        for (spec, tensor) in zip(parameters, tensors) {
            let bytes = spec.count * spec.scalar.size * waiting
            let entry = try file.tensor(
                prefix + spec.name, type: spec.scalar.tensorType, shape: [chains, waiting] + spec.shape)
            for chain in 0..<chains {
                let whole = spec.count * spec.scalar.size * perPart
                entry.data.copyBytes(
                    to: UnsafeMutableRawBufferPointer(rebasing: tensor[(chain * whole)...]),
                    from: entry.data.startIndex + chain * bytes..<entry.data.startIndex + (chain + 1) * bytes)
            }
        }
        for (number, name) in functions.enumerated() {
            let found = try file.tensor(
                "\(prefix)function/\(name)", type: .float64, shape: [chains, waiting]
            ).doubles()
            for chain in 0..<chains {
                for place in 0..<waiting {
                    values[(number * chains + chain) * perPart + place] = found[chain * waiting + place]
                }
            }
        }
        let found = try file.tensor("\(prefix)step", type: .int64, shape: [waiting]).integers()
        for place in 0..<waiting { steps[place] = found[place] }
        (self.part, self.first, self.waiting) = (part, first, waiting)
        try removeLaterParts()
    }

    /// Removes parts that were written after where the writer stands.
    /// - Throws: `FileError`.
    func removeLaterParts() throws {
        guard case .directory(let directory) = store else { return }
        for later in try SampleStore.parts(in: directory) where later >= part {
            let url = directory.appendingPathComponent(SampleStore.name(ofPart: later))
            guard unlink(url.path) == 0 || errno == ENOENT else {
                throw FileError(path: url.path, operation: .remove, errorNumber: errno)
            }
        }
    }
}
