import PerturbedEquations
import PosteriorSampling

/// A linear regression whose posterior, and whose law under SGLD's own steps, are known: what samplers are compared by.
///
/// y = Xw + b + N(0, s²), (w, b) ~ N(0, 1): a normal posterior of precision P = X̃ᵀX̃/s² + 1, X̃ with a column of ones. SGLD with
/// the whole gradient and the step η samples N(μ, (P(1 − ηP/2))⁻¹).
struct LinearProblem {
    static let (points, width) = (64, 4)
    static let noise = 0.5
    /// η: about half the inverse of P's largest eigenvalue, so that the law of SGLD is not the posterior.
    static let rate = 1e-3

    /// Row by row.
    let features: [Float]
    let targets: [Float]

    init() {
        let key = NoiseKey(seed: 11).derived("linear")
        func normal(_ count: Int, _ parameter: Int) -> [Float] {
            var values = [Float](repeating: 0, count: count)
            var span = values.mutableSpan
            NoiseStream(key: key, step: 0, parameter: parameter, term: 0).fill(&span, with: .normal)
            return values
        }
        let (points, width) = (Self.points, Self.width)
        var x = normal(points * width, 0)
        // Neighbouring columns go together, so that weights are correlated.
        for i in 0..<points {
            for j in 1..<width { x[i * width + j] = 0.4 * x[i * width + j - 1] + 0.9 * x[i * width + j] }
        }
        let (weights, errors) = (normal(width + 1, 1), normal(points, 2))
        features = x
        targets = (0..<points).map { i in
            (0..<width).reduce(weights[width] + Float(Self.noise) * errors[i]) {
                $0 + x[i * width + $1] * weights[$1]
            }
        }
    }

    func potential() throws -> Potential<Float> {
        try .linearRegression(
            DesignMatrix(rows: features, columns: Self.width), targets: targets, deviation: Self.noise,
            prior: GaussianPrior())
    }
}
