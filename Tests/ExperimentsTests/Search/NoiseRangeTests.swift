import Experiments
import Foundation
import Testing

/// The range of noise, read off losses that are known.
@Suite struct NoiseRangeTests {
    private static let steps = 1000
    private static let sigmas = (0..<steps).map { 1e-3 * pow(1e6, Double($0) / Double(steps)) }
    /// Learns from 2 to 0.5 in the first hundred steps.
    private static let clean = (0..<steps).map { 0.5 + 1.5 * exp(-Double($0) / 25) }

    /// Noise whose share of what was learnt is σ/10 is felt from 0.5 and breaks the training at 5.
    @Test func feltAndBroken() throws {
        let noisy = zip(Self.clean, Self.sigmas).map { $0 + 1.5 * $1 / 10 }
        let range = NoiseRange(sigmas: Self.sigmas, noisy: noisy, clean: Self.clean, gradient: 1)
        let (felt, broken) = (try #require(range.felt), try #require(range.broken))
        // The windows blur by a fiftieth of the run, a factor of 1.3 of σ.
        #expect(felt > 0.5 / 1.3 && felt < 0.5 * 1.3, "\(felt)")
        #expect(broken > 5 / 1.3 && broken < 5 * 1.3, "\(broken)")
        let band = try #require(range.band)
        #expect(band.lowerBound == felt / 10 && band.upperBound < broken / 2, "\(band)")
    }

    /// A run that ends in infinity is broken there, and a bad batch on the way is not noise that is felt.
    @Test func divergence() throws {
        var noisy = Array(Self.clean.prefix(700))
        noisy[300] += 20
        noisy += [.infinity]
        let range = NoiseRange(sigmas: Self.sigmas, noisy: noisy, clean: Self.clean, gradient: 1)
        let (felt, broken) = (try #require(range.felt), try #require(range.broken))
        for end in [felt, broken] { #expect(end >= Self.sigmas[670] && end <= Self.sigmas[700], "\(end)") }
        #expect(range.points.last?.noisy == nil)
    }

    /// Noise without effect is not felt, and there is nothing to search.
    @Test func harmlessNoise() {
        let range = NoiseRange(sigmas: Self.sigmas, noisy: Self.clean, clean: Self.clean, gradient: 1)
        #expect(range.felt == nil && range.broken == nil && range.band == nil)
    }
}
