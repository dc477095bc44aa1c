import PerturbedEquations
import TestSupport
import Testing

/// The noise of an element does not depend on how it was asked for: promise 2.
@Suite struct SplitTests {
    static let pieces = [1, 3, 31, 32, 33, 64, 1000]

    @Test(arguments: NoiseDistribution.allCases)
    func piecesEqualTheWhole(_ distribution: NoiseDistribution) {
        for level in SIMDLevel.supported {
            for first in [0, 1, 31, (1 << 34) - 500] as [UInt64] {
                func stream(_ element: Int) -> NoiseStream {
                    NoiseStream(
                        key: NoiseKey(seed: 6), step: 1, parameter: 2, term: 3,
                        firstElement: first + UInt64(element), level: level)
                }
                let count = 2100
                let whole: [Float] = NoiseStream(
                    key: NoiseKey(seed: 6), step: 1, parameter: 2, term: 3, firstElement: first,
                    level: .baseline
                ).values(count, distribution, scale: 0.7)
                for piece in Self.pieces {
                    var parts: [Float] = []
                    while parts.count < count {
                        parts += stream(parts.count).values(
                            min(piece, count - parts.count), distribution, scale: 0.7)
                    }
                    #expect(
                        parts.map(\.bitPattern) == whole.map(\.bitPattern),
                        "\(level), from \(first), by \(piece)")
                }
            }
        }
    }

    /// Float64 parameters get the same variates.
    @Test(arguments: NoiseDistribution.allCases, [0, 5, (1 << 34) - 512] as [UInt64])
    func doublesAreWidenedFloats(_ distribution: NoiseDistribution, first: UInt64) {
        for level in SIMDLevel.supported {
            let stream = NoiseStream(
                key: NoiseKey(seed: 8), step: 1, parameter: 2, term: 3, firstElement: first, level: level)
            let narrow: [Float] = stream.values(5000, distribution)
            let wide: [Double] = stream.values(5000, distribution)
            let scaled: [Double] = stream.values(5000, distribution, scale: 0.1)
            #expect(wide == narrow.map(Double.init))
            #expect(scaled == narrow.map { Double($0) * 0.1 })
        }
    }

    @Test(arguments: [0.0, 0.25, 0.9])
    func dropSplits(p: Double) {
        let whole: [Float] = dropValues(1000, probability: p, seed: 3, level: .baseline)
        for level in SIMDLevel.supported {
            var parts: [Float] = []
            for piece in [1, 31, 33, 32, 500, 403] {
                parts += dropValues(
                    piece, probability: p, seed: 3, first: UInt64(parts.count), level: level)
            }
            #expect(parts == whole, "\(level)")
        }
        let wide: [Double] = dropValues(1000, probability: p, seed: 3)
        #expect(wide.map { $0 < 0 } == whole.map { $0 < 0 })
    }

    /// Adding is storing, then adding: out + s·ξ and out + s·x·ξ, the latter with one rounding.
    @Test(arguments: SIMDLevel.supported, [0, 7, (1 << 34) - 512] as [UInt64])
    func addingAgreesWithStoring(_ level: SIMDLevel, first: UInt64) {
        let stream = NoiseStream(
            key: NoiseKey(seed: 1), step: 0, parameter: 0, term: 0, firstElement: first, level: level)
        let start = (0..<777).map { Float($0 % 13) - 6 }
        let factor = (0..<777).map { Float($0 % 7) - 3.5 }
        for distribution in NoiseDistribution.allCases {
            let xi: [Float] = stream.values(777, distribution, scale: 0.3)
            var sum = start
            var span = sum.mutableSpan
            stream.add(distribution, scale: 0.3, to: &span)
            #expect(sum == zip(start, xi).map { $0 + $1 })
            var product = start
            span = product.mutableSpan
            stream.add(distribution, scale: 0.3, times: factor.span, to: &span)
            #expect(product == zip(zip(start, factor), xi).map { $0.0.addingProduct($0.1, $1) })
        }
    }

    /// Nothing is written past the end, at any start within a chunk.
    @Test func staysInItsMemory() {
        for first in 0..<33 as Range<UInt64> {
            for count in 0..<70 {
                var values = [Float](repeating: 99, count: count + 40)
                values.withUnsafeMutableBufferPointer { buffer in
                    var span = buffer.extracting(20..<20 + count).mutableSpan
                    NoiseStream(key: NoiseKey(seed: 2), step: 0, parameter: 0, term: 0, firstElement: first)
                        .fill(&span, with: .uniform)
                }
                #expect(
                    values[..<20].allSatisfy { $0 == 99 } && values[(20 + count)...].allSatisfy { $0 == 99 })
                #expect(!values[20..<20 + count].contains(99))
            }
        }
    }
}
