import Foundation
import PerturbedEquations
import Safetensors

/// Where draws go: one part after another, each a safetensors file, so that of all θ only one part is in memory.
///
/// See docs/posterior-sampling.md for the format.
enum SampleStore {
    case memory
    case directory(URL)

    /// The name of a part's file.
    static func name(ofPart part: Int) -> String {
        let digits = String(part)
        return "part-" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits + ".safetensors"
    }

    /// The parts that a directory has, in order.
    static func parts(in directory: URL) throws -> [Int] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        } catch {
            throw FileError(
                path: directory.path, operation: .open, reason: .missing, detail: "there are no samples here")
        }
        return names.compactMap { name in
            guard name.hasPrefix("part-"), name.hasSuffix(".safetensors") else { return nil }
            return Int(name.dropFirst("part-".count).dropLast(".safetensors".count))
        }.sorted()
    }
}

/// What a part says beside its tensors: JSON in its metadata, under `peo.samples`.
struct SampleHeader: Codable, Equatable {
    static let key = "peo.samples"
    /// The version of the format that this program writes, and the greatest that it reads.
    static let currentFormat = 1

    var format = Self.currentFormat
    var chains: Int
    /// The number of the part's first draw, from 0, and how many draws of each chain it has.
    var first: Int
    var draws: Int
    /// The names of the tensors that are parameters, in the model's order, and of the functions.
    var parameters: [String]
    var functions: [String]
}
