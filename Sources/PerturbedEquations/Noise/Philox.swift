/// Philox 4×32: a counter-based generator, a bijection of 128-bit counters chosen by a 64-bit key.
///
/// A value is a pure function of (counter, key), so any element of any stream can be computed on its own:
/// no state, no order. PEO uses 7 rounds, the smallest number which passes BigCrush according to the
/// authors; the function takes the number so that both published known-answer sets (7 and 10) can be
/// checked.
///
/// Source: Salmon, Moraes, Dror, Shaw (2011), "Parallel random numbers: as easy as 1, 2, 3".
public enum Philox {
    /// The number of rounds in every stream of PEO.
    public static let rounds = 7

    /// 128 random bits at `counter` under `key`.
    ///
    /// - Parameters:
    ///   - counter: the address, four 32-bit words.
    ///   - key: two 32-bit words.
    ///   - rounds: how often the words are mixed; 7 unless told.
    @inlinable
    public static func block(
        counter: SIMD4<UInt32>, key: SIMD2<UInt32>, rounds: Int = rounds
    ) -> SIMD4<UInt32> {
        var c = counter
        var k = key
        for _ in 0..<rounds {
            let a = UInt64(c[0]) * 0xD251_1F53
            let b = UInt64(c[2]) * 0xCD9E_8D57
            c = SIMD4(
                UInt32(truncatingIfNeeded: b >> 32) ^ c[1] ^ k[0], UInt32(truncatingIfNeeded: b),
                UInt32(truncatingIfNeeded: a >> 32) ^ c[3] ^ k[1], UInt32(truncatingIfNeeded: a))
            k = SIMD2(k[0] &+ 0x9E37_79B9, k[1] &+ 0xBB67_AE85)
        }
        return c
    }
}
