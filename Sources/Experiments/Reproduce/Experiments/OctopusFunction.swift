/// The octopus function of Du and others: d saddle points in a row, each to be left along the next coordinate.
///
/// With τ = e, and every coordinate taken by its size:
///
/// ```
/// xᵢ is the first coordinate below 2τ; those before it are in the bowl L(xⱼ − 4τ)²
/// xᵢ ≤ τ:  f = Σ_{j<i} L(xⱼ − 4τ)² − γxᵢ² + Σ_{j>i} Lxⱼ² − (i − 1)ν
/// xᵢ > τ:  f = Σ_{j<i} L(xⱼ − 4τ)² + g₁(xᵢ) + g₂(xᵢ)x²ᵢ₊₁ + Σ_{j>i+1} Lxⱼ² − (i − 1)ν
/// none:    f = Σⱼ L(xⱼ − 4τ)² − dν
/// g₁(x) = −γx² + (−14L + 10γ)/(3τ)·(x − τ)³ + (5L − 3γ)/(2τ²)·(x − τ)⁴
/// g₂(x) = −γ − 10(L + γ)/τ³·(x − 2τ)³ − 15(L + γ)/τ⁴·(x − 2τ)⁴ − 6(L + γ)/τ⁵·(x − 2τ)⁵
/// ν = −g₁(2τ) + 4Lτ²
/// ```
///
/// f, ∇f and ∇²f are continuous where the coordinates after xᵢ are below τ, which is where runs go.
///
/// Source: Du, Jin, Lee, Jordan, Singh, Póczos 2017, Gradient Descent Can Take Exponential Time to Escape Saddle Points.
package struct OctopusFunction: Sendable {
    /// τ: the length of an arm's parts.
    package static let tau = 2.718281828459045

    /// d.
    package let dimensions: Int
    /// L: the curvature of the directions that are held; > 0.
    package let held: Double
    /// γ: that of the direction that leads away; > 0.
    package let leaving: Double

    package init(dimensions: Int, held: Double, leaving: Double) {
        (self.dimensions, self.held, self.leaving) = (dimensions, held, leaving)
    }

    /// How many coordinates have come past their saddle: the number of leading ones of size 2τ or more.
    package func passed(_ x: UnsafeBufferPointer<Double>) -> Int {
        x.firstIndex { abs($0) < 2 * Self.tau } ?? dimensions
    }

    /// f(x).
    package func value(at x: UnsafeBufferPointer<Double>) -> Double {
        let i = passed(x)
        let nu = 4 * held * Self.tau * Self.tau - g1(2 * Self.tau).value
        var sum = -Double(i) * nu
        for j in 0..<i {
            let distance = abs(x[j]) - 4 * Self.tau
            sum += held * distance * distance
        }
        guard i < dimensions else { return sum }
        let size = abs(x[i])
        for j in i + 1..<max(i + 1, dimensions) { sum += held * x[j] * x[j] }
        guard size > Self.tau else { return sum - leaving * size * size }
        sum += g1(size).value
        if i + 1 < dimensions { sum += (g2(size).value - held) * x[i + 1] * x[i + 1] }
        return sum
    }

    /// ∇f(x).
    package func gradient(at x: UnsafeBufferPointer<Double>, into g: UnsafeMutableBufferPointer<Double>) {
        let i = passed(x)
        for j in 0..<i { g[j] = 2 * held * (abs(x[j]) - 4 * Self.tau) * (x[j] < 0 ? -1 : 1) }
        guard i < dimensions else { return }
        for j in i + 1..<max(i + 1, dimensions) { g[j] = 2 * held * x[j] }
        let size = abs(x[i])
        guard size > Self.tau else {
            g[i] = -2 * leaving * x[i]
            return
        }
        var slope = g1(size).slope
        if i + 1 < dimensions {
            let next = g2(size)
            slope += next.slope * x[i + 1] * x[i + 1]
            g[i + 1] = 2 * next.value * x[i + 1]
        }
        g[i] = x[i] < 0 ? -slope : slope
    }

    private func g1(_ x: Double) -> (value: Double, slope: Double) {
        let z = x - Self.tau
        let cubic = (10 * leaving - 14 * held) / (3 * Self.tau)
        let quartic = (5 * held - 3 * leaving) / (2 * Self.tau * Self.tau)
        return (
            -leaving * x * x + z * z * z * (cubic + quartic * z),
            -2 * leaving * x + z * z * (3 * cubic + 4 * quartic * z)
        )
    }

    private func g2(_ x: Double) -> (value: Double, slope: Double) {
        let z = (x - 2 * Self.tau) / Self.tau
        let sum = held + leaving
        return (
            -leaving - sum * z * z * z * (10 + z * (15 + 6 * z)),
            -sum / Self.tau * z * z * (30 + z * (60 + 30 * z))
        )
    }
}
