import PerturbedEquations
import PosteriorSampling

/// A normal distribution N(μ, P⁻¹) as a target: U = ½(θ − μ)ᵀP(θ − μ), with its exact moments.
struct GaussianPosterior: Sendable {
    let dimension: Int
    /// P, row by row.
    let precision: [Double]
    let mean: [Double]
    /// P⁻¹, row by row.
    let covariance: [Double]
    /// The largest eigenvalue of P: 2/it is where the steps of SGLD explode.
    let stiffness: Double

    init(precision: [Double], mean: [Double]) {
        (self.precision, self.mean, dimension) = (precision, mean, mean.count)
        covariance = Self.inverse(precision, mean.count)
        stiffness = Self.largestEigenvalue(precision, mean.count)
    }

    /// Of neighbours that are correlated by ρ: Cov(i, j) = ρ^|i − j|·sᵢsⱼ, with deviations s from 0.75 to 1.25.
    static func autoregressive(_ dimension: Int, correlation: Double) -> GaussianPosterior {
        let deviations = (0..<dimension).map { 0.75 + 0.5 * Double($0) / Double(max(1, dimension - 1)) }
        var covariance = [Double](repeating: 0, count: dimension * dimension)
        for i in 0..<dimension {
            var power = 1.0
            for j in i..<dimension {
                covariance[i * dimension + j] = power * deviations[i] * deviations[j]
                covariance[j * dimension + i] = covariance[i * dimension + j]
                power *= correlation
            }
        }
        return GaussianPosterior(
            precision: inverse(covariance, dimension), mean: (0..<dimension).map { Double($0 % 5) - 2 })
    }

    /// The posterior of linear regression, y = Xw + N(0, s²), w ~ N(0, 1): P = XᵀX/s² + 1, μ = P⁻¹Xᵀy/s².
    static func linearRegression(weights d: Int, points: Int, noise: Double, seed: UInt64)
        -> GaussianPosterior
    {
        let key = NoiseKey(seed: seed).derived("regression")
        func normal(_ count: Int, _ parameter: Int) -> [Double] {
            var x = [Double](repeating: 0, count: count)
            var span = x.mutableSpan
            NoiseStream(key: key, step: 0, parameter: parameter, term: 0).fill(&span, with: .normal)
            return x
        }
        var (x, w, e) = (normal(points * d, 0), normal(d, 1), normal(points, 2))
        // Neighbouring columns go together, so that weights are correlated.
        for i in 0..<points { for j in 1..<d { x[i * d + j] = 0.6 * x[i * d + j - 1] + 0.8 * x[i * d + j] } }
        let y = (0..<points).map { i in (0..<d).reduce(noise * e[i]) { $0 + x[i * d + $1] * w[$1] } }
        var precision = [Double](repeating: 0, count: d * d)
        var slope = [Double](repeating: 0, count: d)
        for i in 0..<points {
            for j in 0..<d {
                slope[j] += x[i * d + j] * y[i] / (noise * noise)
                for k in 0..<d { precision[j * d + k] += x[i * d + j] * x[i * d + k] / (noise * noise) }
            }
        }
        for j in 0..<d { precision[j * d + j] += 1 }
        (w, e) = (inverse(precision, d), [])
        return GaussianPosterior(
            precision: precision,
            mean: (0..<d).map { j in (0..<d).reduce(0) { $0 + w[j * d + $1] * slope[$1] } })
    }

    func potential() throws -> Potential<Double> {
        let (d, p, mean) = (dimension, precision, mean)
        return try Potential(dimension: d) { theta, gradient in
            var energy = 0.0
            for i in 0..<d {
                var sum = 0.0
                for j in 0..<d { sum += p[i * d + j] * (theta[j] - mean[j]) }
                gradient[i] = sum
                energy += 0.5 * sum * (theta[i] - mean[i])
            }
            return energy
        }
    }

    /// √(tr (PC − 1)²/d) of an estimate C of the covariance: its relative error, every direction counting alike.
    func covarianceError(of estimate: [Double]) -> Double {
        let d = dimension
        var product = [Double](repeating: 0, count: d * d)
        for i in 0..<d {
            for k in 0..<d {
                for j in 0..<d { product[i * d + j] += precision[i * d + k] * estimate[k * d + j] }
            }
            product[i * d + i] -= 1
        }
        var trace = 0.0
        for i in 0..<d { for j in 0..<d { trace += product[i * d + j] * product[j * d + i] } }
        return (trace / Double(d)).squareRoot()
    }

    /// By Gauss and Jordan: these are symmetric and far from singular.
    private static func inverse(_ matrix: [Double], _ n: Int) -> [Double] {
        var (a, b) = (matrix, [Double](repeating: 0, count: n * n))
        for i in 0..<n { b[i * n + i] = 1 }
        for i in 0..<n {
            let pivot = a[i * n + i]
            for j in 0..<n { (a[i * n + j], b[i * n + j]) = (a[i * n + j] / pivot, b[i * n + j] / pivot) }
            for k in 0..<n where k != i {
                let factor = a[k * n + i]
                for j in 0..<n {
                    a[k * n + j] -= factor * a[i * n + j]
                    b[k * n + j] -= factor * b[i * n + j]
                }
            }
        }
        return b
    }

    private static func largestEigenvalue(_ matrix: [Double], _ n: Int) -> Double {
        var (v, value) = ((0..<n).map { 1 + 0.1 * Double($0 % 7) }, 0.0)
        for _ in 0..<500 {
            let next = (0..<n).map { i in (0..<n).reduce(0) { $0 + matrix[i * n + $1] * v[$1] } }
            value = next.reduce(0) { $0 + $1 * $1 }.squareRoot()
            v = next.map { $0 / value }
        }
        return value
    }
}
