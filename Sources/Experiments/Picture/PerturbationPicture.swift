import Foundation
import PerturbedEquations

/// A picture of a perturbation: a gradient, what is added to it, one against the other, and its distribution.
enum PerturbationPicture {
    static func svg(of named: CataloguePicture.Named, seed: UInt64) throws -> String {
        let term = try ConfigDecoder.decode(NamedPerturbation.self, from: named.node).term
        let sample = try PerturbationSample(term, seed: seed)
        let ratio = String(
            format: "%.2f",
            SquaresPicture.rootMeanSquare(sample.all) / SquaresPicture.rootMeanSquare(sample.gradient))
        // Of a preset, the term that it stands for.
        let entry = type(of: term).catalogueEntry
        return SquaresPicture(
            before: sample.gradient, change: sample.delta, all: sample.all,
            titles: ["gradient g", "δ, one step", "δ (up) against g (right)", "how often δ occurs"],
            caption: "\(entry.name): \(entry.equation); here RMS(δ)/RMS(g) = \(ratio)"
        ).svg()
    }
}
