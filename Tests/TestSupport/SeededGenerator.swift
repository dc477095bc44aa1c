import Foundation

/// A reproducible source of random numbers for tests (SplitMix64; Steele, Lea and Flood 2014).
///
/// Print the seed in the test's failure message: `SeededGenerator()` takes it from the environment
/// variable `PEO_TEST_SEED` if that is set, so that a failure can be repeated.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    package let seed: UInt64
    private var state: UInt64

    /// A generator with the seed of `PEO_TEST_SEED`, or a new one.
    package init() {
        self.init(otherwise: UInt64.random(in: .min ... .max))
    }

    /// A generator with the seed of `PEO_TEST_SEED`, or this one: for a test of so many random cases that a rare
    /// one of a new seed would stop somebody else's work.
    package init(otherwise seed: UInt64) {
        let wanted = ProcessInfo.processInfo.environment["PEO_TEST_SEED"].flatMap { UInt64($0) }
        self.init(seed: wanted ?? seed)
    }

    package init(seed: UInt64) {
        self.seed = seed
        state = seed
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
