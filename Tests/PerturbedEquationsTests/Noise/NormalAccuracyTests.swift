import Foundation
import PerturbedEquations
import TestSupport
import Testing

/// The normal transform against Box and Muller in double precision, on the same words.
@Suite struct NormalAccuracyTests {
    /// √(−2 ln u)·(cos φ, sin φ) as documented in distributions.h: of a run of 32 words, word i gives a radius
    /// and word 16 + i the angle to it; the cosine is element i, the sine element 16 + i.
    static func reference(_ words: ArraySlice<UInt32>, unit: (UInt32) -> Double) -> [Double] {
        let w = Array(words)
        func pair(_ radius: UInt32, _ angle: UInt32) -> (Double, Double) {
            let r = (-2 * log(unit(radius))).squareRoot()
            let x = Double(Int32(bitPattern: angle & ~3)) * 0x1p-31
            let phi = .pi / 4 * (1 + x)
            return (r * cos(phi) * (angle & 1 == 0 ? 1 : -1), r * sin(phi) * (angle & 2 == 0 ? 1 : -1))
        }
        let pairs = (0..<16).map { pair(w[$0], w[16 + $0]) }
        return pairs.map(\.0) + pairs.map(\.1)
    }

    /// The polynomials and square root err by less than 10⁻⁶ absolute, over |ξ| ≤ 6.8, given u in single
    /// precision.
    @Test func polynomials() {
        let stream = NoiseStream(key: NoiseKey(seed: 3), step: 5, parameter: 0, term: 0)
        let count = 1 << 20
        let words = stream.words(count)
        let values: [Float] = stream.values(count, .normal)
        var worst = 0.0
        for run in stride(from: 0, to: count, by: 32) {
            let expected = Self.reference(words[run..<run + 32]) {
                Double(Float(0x1p-33).addingProduct(Float($0), 0x1p-32))
            }
            for i in 0..<32 { worst = max(worst, abs(Double(values[run + i]) - expected[i])) }
        }
        print("normal: greatest error \(worst) against double precision")
        #expect(worst < 1e-6)
    }

    /// u itself is rounded to 24 bits, which shows near u = 1, where the radius is small: the error in ξ is
    /// below 2.5·10⁻⁴ there (√2⁻²⁴), and below 10⁻⁵ for 99% of the values.
    @Test func roundingOfTheUniform() {
        let stream = NoiseStream(key: NoiseKey(seed: 4), step: 5, parameter: 0, term: 0)
        let count = 1 << 20
        let words = stream.words(count)
        let values: [Float] = stream.values(count, .normal)
        var worst = 0.0
        var large = 0
        for run in stride(from: 0, to: count, by: 32) {
            let expected = Self.reference(words[run..<run + 32]) { (Double($0) + 0.5) * 0x1p-32 }
            for i in 0..<32 {
                let error = abs(Double(values[run + i]) - expected[i])
                worst = max(worst, error)
                if error > 1e-5 { large += 1 }
            }
        }
        print("normal: greatest error \(worst) against exact uniforms; \(large) of \(count) above 1e-5")
        #expect(worst < 3e-4)
        #expect(large < count / 100)
    }
}
