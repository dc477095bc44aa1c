import Foundation

// Tests of randomness with fixed seeds: each passes or fails for good, so nothing here can flake. The
// thresholds say how often a right generator would have failed when the seed was chosen.

/// E[x^k] of a sample against theory, in standard errors √((μ₂ₖ − μₖ²)/n).
///
/// - Parameters:
///   - theory: μ₁ … μ₈ of the distribution.
///   - scale: what the sample was multiplied by.
/// - Returns: for k = 1 … 4 the deviation in standard errors, or, where that error is zero, in units of 10⁻⁶.
func momentDeviations(_ sample: some Collection<Float>, theory: [Double], scale: Double = 1) -> [Double] {
    var sums = [0.0, 0, 0, 0]
    for value in sample {
        let x = Double(value) / scale
        let square = x * x
        sums[0] += x
        sums[1] += square
        sums[2] += square * x
        sums[3] += square * square
    }
    let n = Double(sample.count)
    return (1...4).map { k in
        let error = max(theory[2 * k - 1] - theory[k - 1] * theory[k - 1], 0)
        return (sums[k - 1] / n - theory[k - 1]) / (error > 0 ? (error / n).squareRoot() : 1e-6)
    }
}

/// √n·sup|F_n − F|: above 2.7 once in two million (2·exp(−2·2.7²) = 9·10⁻⁷).
func kolmogorovSmirnov(sorted sample: [Float], _ cdf: (Double) -> Double) -> Double {
    let n = Double(sample.count)
    var largest = 0.0
    for (i, value) in sample.enumerated() {
        let f = cdf(Double(value))
        largest = max(largest, abs(f - Double(i) / n), abs(Double(i + 1) / n - f))
    }
    return largest * n.squareRoot()
}

/// Anderson and Darling's A² for a fully specified distribution: above 13 less than once in a million.
func andersonDarling(sorted sample: [Float], _ cdf: (Double) -> Double) -> Double {
    let n = sample.count
    // The generator's resolution bounds how near to 0 and 1 a value can be.
    let f = sample.map { min(max(cdf(Double($0)), 0x1p-34), 1 - 0x1p-34) }
    var sum = 0.0
    for i in 0..<n { sum += Double(2 * i + 1) * (log(f[i]) + log1p(-f[n - 1 - i])) }
    return -Double(n) - sum / Double(n)
}

/// χ² of counts against equal expectations, as a number of standard deviations above its mean.
func chiSquareExcess(_ counts: [Int]) -> Double {
    let expected = Double(counts.reduce(0, +)) / Double(counts.count)
    let chi = counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
    let freedom = Double(counts.count - 1)
    return (chi - freedom) / (2 * freedom).squareRoot()
}

/// Mean and variance of a sample.
func meanAndVariance(_ sample: some Collection<Double>) -> (mean: Double, variance: Double) {
    let n = Double(sample.count)
    let mean = sample.reduce(0, +) / n
    return (mean, sample.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / n)
}

/// The moments μ₁ … μ₈ of the noise distributions, all of variance 1.
enum Theory {
    static let normal = [0.0, 1, 0, 3, 0, 15, 0, 105]
    /// μₖ = √3ᵏ/(k + 1)
    static let uniform = [0, 1, 0, 9.0 / 5, 0, 27.0 / 7, 0, 9]
    /// μₖ = k!/√2ᵏ
    static let laplace = [0.0, 1, 0, 6, 0, 90, 0, 2520]
    static let rademacher = [0.0, 1, 0, 1, 0, 1, 0, 1]
    /// p/(1−p) with probability 1−p, else −1.
    static func drop(_ p: Double) -> [Double] {
        (1...8).map { k in (1 - p) * pow(p / (1 - p), Double(k)) + p * (k % 2 == 0 ? 1 : -1) }
    }

    static func normalCDF(_ x: Double) -> Double { erfc(-x / 2.0.squareRoot()) / 2 }
    static func uniformCDF(_ x: Double) -> Double { min(max((x / 3.0.squareRoot() + 1) / 2, 0), 1) }
    static func laplaceCDF(_ x: Double) -> Double {
        let tail = exp(-abs(x) * 2.0.squareRoot()) / 2
        return x < 0 ? tail : 1 - tail
    }
}
