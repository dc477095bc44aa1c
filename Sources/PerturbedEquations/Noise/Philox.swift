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
        // Words in registers of their own: in one vector each round would take them apart and put them together.
        var (c0, c1, c2, c3) = (counter[0], counter[1], counter[2], counter[3])
        var (k0, k1) = (key[0], key[1])
        for _ in 0..<rounds {
            let a = UInt64(c0) &* 0xD251_1F53
            let b = UInt64(c2) &* 0xCD9E_8D57
            c0 = UInt32(truncatingIfNeeded: b >> 32) ^ c1 ^ k0
            c1 = UInt32(truncatingIfNeeded: b)
            c2 = UInt32(truncatingIfNeeded: a >> 32) ^ c3 ^ k1
            c3 = UInt32(truncatingIfNeeded: a)
            k0 &+= 0x9E37_79B9
            k1 &+= 0xBB67_AE85
        }
        return SIMD4(c0, c1, c2, c3)
    }
}
