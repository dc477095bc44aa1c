import Datasets
import Foundation
import PerturbedEquations
import Statistics

/// Friedman's function with noise, for a quick ``UCI`` without any file: y = 10·sin(πx₁x₂) + 20(x₃ − ½)² + 10x₄ + 5x₅ + ε.
///
/// Source: Friedman 1991, Multivariate Adaptive Regression Splines.
enum Friedman {
    static let name = "friedman"
    static let words =
        "Friedman's function of 5 of 6 uniform numbers, noise N(0, 1), 200 rows to fit with and 50 to measure on"
    private static let (train, test, width) = (200, 50, 6)

    /// Rows of their own for every cut, standardised by those to fit with.
    static func data(cut: Int) throws -> Dataset {
        let key = NoiseKey(seed: UInt64(cut)).derived(name)
        let rows = train + test
        let uniform = key.derived("x")
        let x = (0..<rows * width).map { Double(uniform.word(UInt64($0)) >> 11) * 0x1p-53 }
        var errors = [Double](repeating: 0, count: rows)
        var span = errors.mutableSpan
        NoiseStream(key: key, step: 0, parameter: 0, term: 0).fill(&span, with: .normal)
        let y = (0..<rows).map { row in
            let x = x[(row * width)..<((row + 1) * width)].map { $0 }
            return 10 * sin(.pi * x[0] * x[1]) + 20 * (x[2] - 0.5) * (x[2] - 0.5) + 10 * x[3] + 5 * x[4]
                + errors[row]
        }
        let scale = TargetScale(
            mean: Sample.mean(Array(y[..<train])), deviation: Sample.deviation(Array(y[..<train])))
        // Uniform numbers have the mean ½ and the deviation 1/√12.
        let all = try DataSplit(
            features: x.map { Float(($0 - 0.5) * 12.0.squareRoot()) },
            numbers: y.map { Float(($0 - scale.mean) / scale.deviation) }, exampleSize: width, named: name)
        return Dataset(
            name: name, kind: .numbers([width], predicting: scale), classNames: [],
            train: all.selecting(Array(0..<train)), test: all.selecting(Array(train..<rows)))
    }
}
