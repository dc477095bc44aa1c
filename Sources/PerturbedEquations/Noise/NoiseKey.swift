/// A source of addressed randomness: every value is a pure function of the key and an address.
///
/// Nothing is stored and nothing advances. The same key and address give the same bits in any order, on
/// any thread and after any resume. Derive one key per purpose ("shuffle", "dropout", "initialise"…), so
/// that no two uses share an address.
///
/// ```swift
/// let key = NoiseKey(seed: 1)
/// let order = key.derived("shuffle").derived(3).permutation(of: 5)   // the order of epoch 3
/// ```
public struct NoiseKey: Hashable, Sendable, Codable, BitwiseCopyable {
    /// The 64 bits that select the stream.
    public let seed: UInt64

    public init(seed: UInt64) {
        self.seed = seed
    }

    /// The key as the two words that Philox takes.
    package var words: SIMD2<UInt32> {
        SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
    }

    /// An independent key for a named purpose.
    ///
    /// The name is hashed (FNV-1a, 64 bits) and enciphered under this key.
    public func derived(_ purpose: String) -> NoiseKey {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in purpose.utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
        }
        return NoiseKey(seed: word(hash, domain: .names))
    }

    /// An independent key for a numbered purpose, such as an epoch.
    public func derived(_ index: UInt64) -> NoiseKey {
        NoiseKey(seed: word(index, domain: .numbers))
    }

    /// 64 random bits at `counter`.
    public func word(_ counter: UInt64) -> UInt64 {
        word(counter, domain: .words)
    }

    /// A uniform number in [0, 1), of the upper 53 bits of the word at `counter`: never 1.
    package func uniform(_ counter: UInt64) -> Double { Double(word(counter) >> 11) * 0x1p-53 }

    /// A uniform integer in `0..<bound`, without bias (Lemire 2019, with rejection).
    ///
    /// - Precondition: `bound > 0`.
    public func uniformIndex(below bound: UInt64, _ counter: UInt64) -> UInt64 {
        precondition(bound > 0, "uniformIndex(below:) needs a bound of at least 1")
        var product = word(counter).multipliedFullWidth(by: bound)
        if product.low < bound {
            let threshold = (0 &- bound) % bound
            var attempt: UInt64 = 0
            while product.low < threshold {
                product = derived(counter).word(attempt).multipliedFullWidth(by: bound)
                attempt += 1
            }
        }
        return product.high
    }

    /// A uniformly random order of `0..<count` (Fisher–Yates), a pure function of the key.
    ///
    /// - Complexity: O(count).
    public func permutation(of count: Int) -> [Int] {
        var order = Array(0..<count)
        var last = count - 1
        while last > 0 {
            order.swapAt(last, Int(uniformIndex(below: UInt64(last + 1), UInt64(last))))
            last -= 1
        }
        return order
    }

    /// Keeps the addresses of the different kinds of value apart: the last counter word.
    private enum Domain: UInt32 {
        case words = 0xFFFF_FFFF
        case names = 0xFFFF_FFFE
        case numbers = 0xFFFF_FFFD
    }

    private func word(_ counter: UInt64, domain: Domain) -> UInt64 {
        let low = UInt32(truncatingIfNeeded: counter)
        let high = UInt32(truncatingIfNeeded: counter >> 32)
        let bits = Philox.block(counter: SIMD4(low, high, 0, domain.rawValue), key: words)
        return UInt64(bits[0]) | UInt64(bits[1]) << 32
    }
}
