import CPerturbationKernels
import PerturbedEquations
import TestSupport
import Testing

/// bfloat16 to float32 and back, both ways of rounding, at every SIMD level.
@Suite struct RoundingTests {
    static var levels: [UnsafePointer<pk_bfloat16>] {
        [PK_BASELINE, PK_X86_64_V3, PK_X86_64_V4].filter { $0.rawValue <= pk_highest_level().rawValue }
            .compactMap { pk_kernels_bf16($0) }
    }

    static func widened(_ bits: [UInt16], _ kernels: UnsafePointer<pk_bfloat16>) -> [Float] {
        var output = [Float](repeating: 0, count: bits.count)
        kernels.pointee.widen(&output, bits, bits.count)
        return output
    }

    static func nearest(_ values: [Float], _ kernels: UnsafePointer<pk_bfloat16>) -> [UInt16] {
        var output = [UInt16](repeating: 0, count: values.count)
        kernels.pointee.round_nearest(&output, values, values.count)
        return output
    }

    static func stochastic(
        _ values: [Float], first: UInt64 = 0, step: UInt32 = 0,
        _ kernels: UnsafePointer<pk_bfloat16> = levels[0]
    ) -> [UInt16] {
        var output = [UInt16](repeating: 0, count: values.count)
        var stream = pk_stream(key: (3, 5), step: step, parameter: 2, term: 4093 << 4)
        kernels.pointee.round_stochastic(&output, values, values.count, &stream, first)
        return output
    }

    /// Random bits of every exponent, and the borders.
    static func values(_ count: Int) -> (values: [Float], seed: UInt64) {
        var random = SeededGenerator()
        let special: [Float] = [
            0, -0.0, 1, -1, .infinity, -.infinity, .greatestFiniteMagnitude, -.greatestFiniteMagnitude,
            .leastNonzeroMagnitude, -.leastNonzeroMagnitude, .leastNormalMagnitude,
            Float(bitPattern: 0x7f7f_0000),
            Float(bitPattern: 0x7f7f_7fff), Float(bitPattern: 0x7f7f_8000), Float(bitPattern: 0x0000_8000),
            Float(bitPattern: 0x3f80_8000), Float(bitPattern: 0x3f81_8000), Float(bitPattern: 0xbf80_8000),
            .nan, Float(bitPattern: 0x7f80_0001), Float(bitPattern: 0xffff_ffff),
            Float(bitPattern: 0x7fff_ffff),
        ]
        let drawn = (0..<count).map { _ in
            Float(bitPattern: UInt32.random(in: 0...UInt32.max, using: &random))
        }
        return (special + drawn, random.seed)
    }

    /// The bfloat16 on either side of a finite x: toward zero, and the next one away from it.
    static func neighbours(_ x: Float) -> (inner: UInt16, outer: UInt16) {
        let inner = UInt16(x.bitPattern >> 16)
        return (inner, x == Float(BFloat16(bitPattern: inner)) ? inner : inner + 1)
    }

    /// All 65,536 of them survive the way to float32 and back.
    @Test func everyBFloat16IsAFloat() {
        let all = (0...UInt16.max).map { $0 }
        for kernels in Self.levels {
            let floats = Self.widened(all, kernels)
            #expect(floats.map(\.bitPattern) == all.map { UInt32($0) << 16 })
            let isNaN = floats.map(\.isNaN)
            for back in [Self.nearest(floats, kernels), Self.stochastic(floats, kernels)] {
                for i in all.indices {
                    // A signalling NaN becomes a quiet one.
                    #expect(isNaN[i] ? back[i] == all[i] | 0x40 : back[i] == all[i])
                }
            }
        }
        #expect(Float(BFloat16(1.5)) == 1.5 && BFloat16(-0.0).bitPattern == 0x8000)
    }

    /// Against the definition, by distances in float64.
    @Test func nearestIsNearest() {
        let (values, seed) = Self.values(20_000)
        for kernels in Self.levels {
            for (x, rounded) in zip(values, Self.nearest(values, kernels)) {
                let y = Float(BFloat16(bitPattern: rounded))
                guard x.isFinite else {
                    #expect(x.isNaN ? y.isNaN : y == x, "\(x.bitPattern), seed \(seed)")
                    continue
                }
                let (inner, outer) = Self.neighbours(x)
                // Beyond the largest finite one the next would be 2¹²⁸.
                let far =
                    outer & 0x7fff == 0x7f80
                    ? Double(sign: x.sign, exponent: 128, significand: 1)
                    : Double(Float(BFloat16(bitPattern: outer)))
                let near = Double(Float(BFloat16(bitPattern: inner)))
                let (a, b) = (abs(Double(x) - near), abs(far - Double(x)))
                let expected = a < b ? inner : a > b ? outer : inner & 1 == 0 ? inner : outer
                #expect(rounded == expected, "\(x), seed \(seed)")
            }
        }
    }

    /// Only neighbours are chosen; what is not finite stays, and what is finite stays finite.
    @Test func stochasticChoosesNeighbours() {
        let (values, seed) = Self.values(20_000)
        for step in 0..<5 as Range<UInt32> {
            for (x, rounded) in zip(values, Self.stochastic(values, step: step)) {
                let y = Float(BFloat16(bitPattern: rounded))
                guard x.isFinite else {
                    #expect(x.isNaN ? y.isNaN : y == x, "\(x.bitPattern), seed \(seed)")
                    continue
                }
                let (inner, outer) = Self.neighbours(x)
                #expect(rounded == inner || rounded == outer, "\(x) became \(y), seed \(seed)")
                #expect(y.isFinite, "\(x), seed \(seed)")
            }
        }
    }

    /// E[round(x)] = x: the outer neighbour's frequency is x's place between the two, within 4.5 standard errors.
    @Test func stochasticIsUnbiased() {
        let count = 200_000
        let cases: [UInt32] = [
            0x3f80_0001, 0x3f80_4000, 0x3f80_8000, 0x3f80_c000, 0x3f80_ffff, 0xbf80_4000, 0xc2c7_1234,
            0x0000_4000,
            0x8000_c000, 0x007f_ffff, 0x7f7e_8000,
        ]
        for (step, bits) in cases.enumerated() {
            let x = Float(bitPattern: bits)
            let rounded = Self.stochastic(
                [Float](repeating: x, count: count), step: UInt32(step), Self.levels.last!)
            let (inner, outer) = Self.neighbours(x)
            let up = Double(rounded.count { $0 == outer }) / Double(count)
            #expect(rounded.allSatisfy { $0 == inner || $0 == outer })
            let p = Double(bits & 0xffff) / 65536
            let error = (p * (1 - p) / Double(count)).squareRoot()
            #expect(abs(up - p) < 4.5 * error, "\(x): \(up) instead of \(p) ± \(error)")
        }
    }

    /// The bits do not depend on the SIMD level or on how the elements are split into calls, also where the upper
    /// half of the element's number changes.
    @Test func splitsAndLevels() {
        let (values, seed) = Self.values(3000)
        for first in [0, 1, 31, (1 << 34) - 700] as [UInt64] {
            let whole = Self.stochastic(values, first: first)
            #expect(whole != Self.stochastic(values, first: first + 1))
            for kernels in Self.levels {
                for piece in [1, 31, 32, 33, 64, 1000, values.count] {
                    var parts: [UInt16] = []
                    while parts.count < values.count {
                        let end = min(parts.count + piece, values.count)
                        parts += Self.stochastic(
                            Array(values[parts.count..<end]), first: first + UInt64(parts.count), kernels)
                    }
                    #expect(parts == whole, "by \(piece) from \(first), seed \(seed)")
                }
            }
        }
    }

    /// One word per element decides: that of the stream as everyone sees it.
    @Test func theWordDecides() {
        let values = (0..<500).map { Float(bitPattern: 0x3f80_0000 + UInt32($0) * 131) }
        var stream = pk_stream(key: (3, 5), step: 0, parameter: 2, term: 4093 << 4)
        var words = [UInt32](repeating: 0, count: values.count)
        pk_words(&words, words.count, &stream, 77)
        let expected = zip(values, words).map { x, word in
            let up = UInt32(x.bitPattern & 0xffff) + (word >> 16) >= 65536
            return UInt16(x.bitPattern >> 16) + (up ? 1 : 0)
        }
        #expect(Self.stochastic(values, first: 77) == expected)
    }
}
