import PerturbedEquations
import TestSupport
import Testing

/// The generator is the published one, and the C kernels read it at the documented address.
@Suite struct PhiloxTests {
    /// Random123, tests/kat_vectors, commit 9545ff6: rounds, counter, key, answer.
    static let published: [(Int, SIMD4<UInt32>, SIMD2<UInt32>, SIMD4<UInt32>)] = [
        (7, [0, 0, 0, 0], [0, 0], [0x5f6f_b709, 0x0d89_3f64, 0x4f12_1f81, 0x4f73_0a48]),
        (
            7, [0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff], [0xffff_ffff, 0xffff_ffff],
            [0x5207_ddc2, 0x4516_5e59, 0x4d8e_e751, 0x8c52_f662]
        ),
        (
            7, [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0],
            [0x4dfc_caba, 0x190a_87f0, 0xc473_62ba, 0xb6b5_242a]
        ),
        (10, [0, 0, 0, 0], [0, 0], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
        (
            10, [0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff], [0xffff_ffff, 0xffff_ffff],
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        ),
        (
            10, [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0],
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        ),
    ]

    @Test func publishedAnswers() {
        for (rounds, counter, key, answer) in Self.published {
            #expect(Philox.block(counter: counter, key: key, rounds: rounds) == answer)
        }
        #expect(Philox.rounds == 7)
    }

    /// The word of an element by the documentation of `pk_stream`, in Swift.
    static func word(
        _ key: NoiseKey, step: Int, parameter: Int, term: Int, draw: Int, element: UInt64
    ) -> UInt32 {
        let number = element / 32 * 8 + element % 16 / 2
        let counter: SIMD4<UInt32> = [
            UInt32(truncatingIfNeeded: number), UInt32(number >> 32) | UInt32(term << 4 | draw) << 16,
            UInt32(step), UInt32(parameter),
        ]
        let words: SIMD2<UInt32> = [
            UInt32(truncatingIfNeeded: key.seed), UInt32(truncatingIfNeeded: key.seed >> 32),
        ]
        return Philox.block(counter: counter, key: words)[Int(element / 16 % 2 * 2 + 1 - element % 2)]
    }

    /// The first answer of the published set, through the C kernel.
    @Test func kernelGivesThePublishedAnswer() {
        let words = NoiseStream(key: NoiseKey(seed: 0), step: 0, parameter: 0, term: 0).words(18)
        #expect(
            [words[1], words[0], words[17], words[16]] == [
                0x5f6f_b709, 0x0d89_3f64, 0x4f12_1f81, 0x4f73_0a48,
            ])
    }

    /// A wrong carry here would repeat or skip noise in tensors of more than 2³² counters.
    @Test(
        arguments: [
            0, 1, 2, 3, 4, 31, 32, 33, 1000, 1 << 32, (1 << 34) - 70, (1 << 34) - 1, 1 << 34, (1 << 40) + 17,
            (1 << 49) - 5, (1 << 50) - 101,
        ] as [UInt64])
    func kernelReadsTheDocumentedAddress(first: UInt64) {
        let key = NoiseKey(seed: 0x0123_4567_89ab_cdef)
        let last = (1 << 32) - 1
        for (step, parameter, term, draw) in [
            (0, 0, 0, 0), (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (last, last, 4095, 15),
            (12345, 678, 9, 3), (last, 0, 0, 0), (0, last, 0, 0), (0, 0, 4095, 0),
        ] {
            let stream = NoiseStream(
                key: key, step: step, parameter: parameter, term: term, draw: draw, firstElement: first)
            let expected = (0..<101).map {
                Self.word(
                    key, step: step, parameter: parameter, term: term, draw: draw, element: first + $0)
            }
            #expect(stream.words(101) == expected, "step \(step) parameter \(parameter) term \(term).\(draw)")
            #expect(
                NoiseStream(
                    key: key, step: step, parameter: parameter, term: term, firstElement: first
                ).draw(draw).words(101) == expected)
        }
    }

    @Test func kernelReadsTheDocumentedAddressAtRandomPlaces() {
        var random = SeededGenerator()
        for _ in 0..<2000 {
            let key = NoiseKey(seed: random.next())
            let step = Int(random.next() >> 32)
            let parameter = Int(random.next() >> 32)
            let term = Int(random.next() >> 52)
            let draw = Int(random.next() >> 60)
            let first = random.next() >> UInt64.random(in: 14...64, using: &random)
            let count = Int.random(in: 0...70, using: &random)
            let words = NoiseStream(
                key: key, step: step, parameter: parameter, term: term, draw: draw, firstElement: first
            ).words(count)
            let expected = (0..<UInt64(count)).map {
                Self.word(
                    key, step: step, parameter: parameter, term: term, draw: draw, element: first + $0)
            }
            #expect(words == expected, "seed \(random.seed), first \(first), count \(count)")
        }
    }
}
