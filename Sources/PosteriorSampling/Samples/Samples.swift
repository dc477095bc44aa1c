import Foundation
import PerturbedEquations
import Safetensors
import Statistics

/// The draws of a sampling run: of every chain as many, in order.
///
/// Parts of a directory are mapped, not read: only what is asked for comes into memory.
///
/// ```swift
/// let samples = try Samples(contentsOf: run.appendingPathComponent("samples"))
/// print(ChainDiagnostics(try samples.function("energy")).splitRHat)
/// for chain in 0..<samples.chains {
///     for draw in 0..<samples.draws { try model.loadState(from: samples.draw(draw, of: chain)) }
/// }
/// ```
public struct Samples: Sendable {
    /// How many chains there are, and draws of each.
    public let chains: Int
    public let draws: Int
    /// The parameters, in the model's order.
    public let parameters: [ParameterSpec]
    /// The names of the numbers that were noted of every draw: `energy`, and others.
    public let functions: [String]
    private let parts: [(header: SampleHeader, file: SafetensorsFile)]

    /// Opens a run's folder of samples.
    /// - Throws: `FileError` where there are none; `SafetensorsError` for parts that are damaged or do not fit together.
    public init(contentsOf directory: URL) throws {
        let numbers = try SampleStore.parts(in: directory)
        guard !numbers.isEmpty else {
            throw FileError(
                path: directory.path, operation: .open, reason: .missing,
                detail: "there are no samples yet (part-000000.safetensors is the first)")
        }
        try self.init(
            parts: try numbers.map {
                try SafetensorsFile(
                    contentsOf: directory.appendingPathComponent(SampleStore.name(ofPart: $0)))
            })
    }

    init(parts files: [SafetensorsFile]) throws {
        var parts: [(header: SampleHeader, file: SafetensorsFile)] = []
        var count = 0
        for file in files {
            let header = try Self.header(of: file)
            let first = parts.first?.header ?? header
            guard header.first == count, header.chains == first.chains, header.chains > 0, header.draws > 0,
                header.parameters == first.parameters, header.functions == first.functions
            else {
                throw SafetensorsError(
                    .name,
                    "\(file.name): does not follow the parts before it: it begins at draw \(header.first) of "
                        + "\(header.chains) chains, and \(count) draws of \(first.chains) come before")
            }
            count += header.draws
            parts.append((header, file))
        }
        guard let (header, file) = parts.first else {
            throw SafetensorsError(.name, "samples without a part")
        }
        self.parts = parts
        (chains, draws, functions) = (header.chains, count, header.functions)
        parameters = try header.parameters.map { name in
            let entry = try file.tensor(name)
            guard entry.shape.count >= 2, let scalar = ScalarType(entry.type) else {
                throw SafetensorsError(
                    .shape,
                    "\(file.name): '\(name)' is \(entry.type.rawValue) of shape \(entry.shape); expected "
                        + "numbers of shape [chains, draws, …]")
            }
            return ParameterSpec(name, shape: Array(entry.shape.dropFirst(2)), scalar: scalar)
        }
        // Every part is checked now, so that what is asked later is there.
        for (header, file) in parts {
            for spec in parameters {
                _ = try file.tensor(
                    spec.name, type: spec.scalar.tensorType, shape: [chains, header.draws] + spec.shape)
            }
            for name in functions {
                _ = try file.tensor("function/\(name)", type: .float64, shape: [chains, header.draws])
            }
        }
    }

    private static func header(of file: SafetensorsFile) throws -> SampleHeader {
        guard let text = file.metadata[SampleHeader.key],
            let header = try? JSONDecoder().decode(SampleHeader.self, from: Data(text.utf8))
        else {
            throw SafetensorsError(
                .name, "\(file.name): holds no samples (no '\(SampleHeader.key)' in its metadata)")
        }
        guard header.format == SampleHeader.currentFormat else {
            throw SafetensorsError(
                .name,
                "\(file.name): samples of format \(header.format); this build reads format "
                    + "\(SampleHeader.currentFormat)")
        }
        return header
    }

    /// The chains of a number that was noted of every draw.
    /// - Throws: `SafetensorsError` where there is none of that name.
    public func function(_ name: String) throws -> Chains {
        var chains = [[Double]](repeating: [], count: self.chains)
        for (header, file) in parts {
            let values = try file.tensor("function/\(name)").doubles()
            for chain in chains.indices {
                chains[chain] += values[(chain * header.draws)..<((chain + 1) * header.draws)]
            }
        }
        return Chains(chains)
    }

    /// The chains of some elements of a parameter.
    /// - Parameter elements: their places in row-major order.
    /// - Throws: `SafetensorsError` where there is no parameter of that name.
    public func elements(_ elements: [Int], of parameter: String) throws -> [Chains] {
        var found = elements.map { _ in [[Double]](repeating: [], count: chains) }
        for (header, file) in parts {
            let entry = try file.tensor(parameter)
            let size = entry.count / (chains * header.draws)
            for chain in 0..<chains {
                for draw in 0..<header.draws {
                    let start = (chain * header.draws + draw) * size
                    for (place, element) in elements.enumerated() {
                        found[place][chain].append(entry.number(start + element))
                    }
                }
            }
        }
        return found.map(Chains.init)
    }

    /// One draw, as a file of the parameters in the model's own shapes: a view, not a copy.
    public func draw(_ draw: Int, of chain: Int) throws -> SafetensorsFile {
        precondition(
            (0..<draws).contains(draw) && (0..<chains).contains(chain), "no draw \(draw) of chain \(chain)")
        let (header, file) = parts.last { $0.header.first <= draw }!
        return try SafetensorsFile(
            tensors: parameters.map { spec in
                let entry = try file.tensor(spec.name)
                let bytes = spec.count * spec.scalar.size
                let first = entry.data.startIndex + (chain * header.draws + draw - header.first) * bytes
                return try TensorEntry(
                    name: spec.name, type: spec.scalar.tensorType, shape: spec.shape,
                    data: entry.data[first..<(first + bytes)])
            })
    }
}

extension ScalarType {
    fileprivate init?(_ type: TensorType) {
        switch type {
        case .float32: self = .float32
        case .float64: self = .float64
        case .bfloat16: self = .bfloat16
        default: return nil
        }
    }
}

extension TensorEntry {
    /// The element at a place.
    fileprivate func number(_ place: Int) -> Double {
        withUnsafeBytes { bytes in
            switch type {
            case .float64: bytes.loadUnaligned(fromByteOffset: place * 8, as: Double.self)
            case .bfloat16:
                Double(
                    Float(
                        bitPattern: UInt32(bytes.loadUnaligned(fromByteOffset: place * 2, as: UInt16.self))
                            << 16))
            default: Double(bytes.loadUnaligned(fromByteOffset: place * 4, as: Float.self))
            }
        }
    }
}
