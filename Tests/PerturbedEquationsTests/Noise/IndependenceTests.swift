import PerturbedEquations
import Testing

/// Neighbours in any direction of the address space have nothing to do with one another.
///
/// Fixed seeds; a right generator fails a check (|z| < 5) once in 1.7 million.
@Suite struct IndependenceTests {
    static let count = 1 << 19

    /// z of E[f(x)·f'(y)] for values, squares and the two mixed; each f has mean 0 and variance 1.
    static func deviations(
        _ x: ArraySlice<Float>, _ y: ArraySlice<Float>, fourth: Double
    ) -> [Double] {
        let spread = (fourth - 1).squareRoot()
        var sums = [0.0, 0, 0, 0]
        for (a, b) in zip(x, y) {
            let a = Double(a)
            let b = Double(b)
            let a2 = (a * a - 1) / spread
            let b2 = (b * b - 1) / spread
            sums[0] += a * b
            sums[1] += a2 * b2
            sums[2] += a * b2
            sums[3] += a2 * b
        }
        return sums.map { $0 / Double(x.count).squareRoot() }
    }

    static func values(
        _ d: NoiseDistribution, seed: UInt64 = 77, step: Int = 10, parameter: Int = 4, term: Int = 2,
        draw: Int = 1, first: UInt64 = 0
    ) -> [Float] {
        NoiseStream(
            key: NoiseKey(seed: seed), step: step, parameter: parameter, term: term, draw: draw,
            firstElement: first
        ).values(count + 4096, d)
    }

    @Test(arguments: [NoiseDistribution.normal, .uniform, .laplace])
    func elements(_ d: NoiseDistribution) {
        let x = Self.values(d)
        for lag in [1, 2, 3, 4, 5, 8, 15, 16, 31, 32, 33, 64, 1000, 4096] {
            let z = Self.deviations(
                x[0..<Self.count], x[lag..<lag + Self.count], fourth: d.moments[3])
            #expect(z.allSatisfy { abs($0) < 5 }, "lag \(lag): \(z)")
        }
    }

    @Test(arguments: [NoiseDistribution.normal, .uniform, .laplace])
    func addresses(_ d: NoiseDistribution) {
        let x = Self.values(d)
        let others: [(String, [Float])] = [
            ("next step", Self.values(d, step: 11)), ("far step", Self.values(d, step: 10 + 1 << 31)),
            ("next parameter", Self.values(d, parameter: 5)), ("next term", Self.values(d, term: 3)),
            ("next draw", Self.values(d, draw: 2)), ("draw and term", Self.values(d, term: 1, draw: 2)),
            ("step and parameter swapped", Self.values(d, step: 4, parameter: 10)),
            ("next seed", Self.values(d, seed: 78)), ("seed's high word", Self.values(d, seed: 77 + 1 << 32)),
            ("beyond 2^34", Self.values(d, first: 1 << 34)),
        ]
        for (name, y) in others {
            let z = Self.deviations(x[0..<Self.count], y[0..<Self.count], fourth: d.moments[3])
            #expect(z.allSatisfy { abs($0) < 5 }, "\(name): \(z)")
        }
        // The measure itself sees a dependence of one percent.
        let mixed = zip(x, others[0].1).map { 0.01 * $0 + 0.99995 * $1 }
        let z = Self.deviations(x[0..<Self.count], mixed[0..<Self.count], fourth: d.moments[3])
        #expect(abs(z[0]) > 5)
    }
}
