import Foundation
import PerturbedEquations
import Testing

/// Keys for shuffles, initialisers and dropout: distinct, unbiased, pure.
@Suite struct NoiseKeyTests {
    /// Two purposes that shared a key would share their randomness.
    @Test func derivedKeysDiffer() {
        var seen = Set<UInt64>()
        var made = 0
        for seed in 0..<50 as Range<UInt64> {
            let key = NoiseKey(seed: seed)
            seen.insert(key.seed)
            made += 1
            for index in 0..<50 as Range<UInt64> {
                seen.insert(key.derived(index).seed)
                seen.insert(key.derived("purpose \(index)").seed)
                seen.insert(key.derived("shuffle").derived(index).seed)
                seen.insert(key.derived(index).derived("shuffle").seed)
                seen.insert(key.word(index))
                made += 5
            }
        }
        #expect(seen.count == made)
        #expect(NoiseKey(seed: 1).derived("a") == NoiseKey(seed: 1).derived("a"))
        #expect(NoiseKey(seed: 1).derived("") != NoiseKey(seed: 1).derived("\0"))
    }

    /// A derived key is a new one in every bit: half of them change, 32 ± 4 (threshold 4.5 over 1,000 pairs'
    /// mean, whose standard error is 4/√1000).
    @Test func neighbouringIndicesGiveUnrelatedKeys() {
        let key = NoiseKey(seed: 42)
        let flips = (0..<1000 as Range<UInt64>).map {
            Double((key.derived($0).seed ^ key.derived($0 + 1).seed).nonzeroBitCount)
        }
        let (mean, variance) = meanAndVariance(flips)
        #expect(abs(mean - 32) < 4.5 * 4 / 1000.0.squareRoot(), "\(mean)")
        #expect(abs(variance - 16) < 4.5 * 16 * (2 / 1000.0).squareRoot(), "\(variance)")
    }

    @Test(arguments: [0, 1, 2, 3, 17, 1000, 65537])
    func aPermutationIsAPermutation(count: Int) {
        for seed in [0, 1, .max] as [UInt64] {
            let order = NoiseKey(seed: seed).permutation(of: count)
            #expect(order.sorted() == Array(0..<count))
            #expect(order == NoiseKey(seed: seed).permutation(of: count))
        }
    }

    /// All 120 orders of five, and every place of every element of fifty: an off-by-one in Fisher–Yates
    /// (Sattolo's cycle, the naive n² shuffle) fails by hundreds of deviations. False alarms: 5 deviations of
    /// χ² with over 100 degrees of freedom, below 10⁻⁴.
    @Test func permutationsAreUniform() {
        let root = NoiseKey(seed: 2024)
        var orders: [[Int]: Int] = [:]
        for index in 0..<24_000 as Range<UInt64> {
            orders[root.derived(index).permutation(of: 5), default: 0] += 1
        }
        #expect(orders.count == 120)
        #expect(chiSquareExcess(Array(orders.values)) < 5)

        var places = [Int](repeating: 0, count: 2500)
        for index in 0..<20_000 as Range<UInt64> {
            for (place, element) in root.derived(index).permutation(of: 50).enumerated() {
                places[place * 50 + element] += 1
            }
        }
        #expect(chiSquareExcess(places) < 5)
    }

    /// Without rejection a bound of 3·2⁶² would give multiples of three half of the time.
    @Test func uniformIndexHasNoBias() {
        let key = NoiseKey(seed: 9)
        for bound in [3 << 62, 3 << 61, 3, 7, 1000] as [UInt64] {
            var counts = [Int](repeating: 0, count: bound % 3 == 0 ? 3 : Int(min(bound, 1000)))
            for counter in 0..<60_000 as Range<UInt64> {
                let index = key.uniformIndex(below: bound, counter)
                #expect(index < bound)
                counts[Int(index % UInt64(counts.count))] += 1
            }
            #expect(chiSquareExcess(counts) < 6, "bound \(bound): \(counts.prefix(8))")
        }
        #expect((0..<100 as Range<UInt64>).allSatisfy { key.uniformIndex(below: 1, $0) == 0 })
        // A bound of 2⁶⁴ − 1 is the largest.
        #expect(key.uniformIndex(below: .max, 0) < .max)
    }

    @Test func aKeyIsWrittenDown() throws {
        let key = NoiseKey(seed: .max)
        #expect(try JSONDecoder().decode(NoiseKey.self, from: JSONEncoder().encode(key)) == key)
    }
}
