import Foundation
import PerturbedEquations
import Testing

/// The schedules against their equations, worked out by hand; PyTorch's schedulers are in
/// PerturbedTorchTests.
@Suite struct ClosedFormTests {
    static func values(_ schedule: some Schedule, _ steps: [Int]) -> [Double] {
        steps.map { schedule.value(at: $0) }
    }

    static func near(_ a: [Double], _ b: [Double]) -> Bool {
        a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= 1e-12 * max(abs($1), 1) }
    }

    @Test func cosineRestarts() {
        let equal = CosineRestartsSchedule(from: 3, to: 1, period: 4)
        let quarter = 2 + 0.5.squareRoot()
        #expect(
            Self.near(
                Self.values(equal, [0, 1, 2, 3, 4, 5, 402]), [3, quarter, 2, 4 - quarter, 3, quarter, 2]))
        // Periods of 2, 6, 18 steps start at 0, 2, 8, 26.
        let growing = CosineRestartsSchedule(from: 1, period: 2, periodFactor: 3)
        #expect(
            Self.near(Self.values(growing, [0, 1, 2, 5, 8, 17, 26, 53]), [1, 0.5, 1, 0.5, 1, 0.5, 1, 0.5]))
        // So late that a period would be longer than an integer can count.
        #expect(CosineRestartsSchedule(from: 1, period: 1, periodFactor: .max).value(at: .max - 1).isFinite)
    }

    @Test func geometric() {
        let rising = GeometricSchedule(from: 0.01, to: 100, steps: 4)
        #expect(Self.near(Self.values(rising, [0, 1, 2, 3, 4, 9]), [0.01, 0.1, 1, 10, 100, 100]))
        #expect(Self.near([GeometricSchedule(from: 8, to: 2).resolved(horizon: 2).value(at: 1)], [4]))
        #expect(throws: ConfigurationError.self) { try GeometricSchedule(from: 0, to: 1).validate() }
    }

    @Test func polynomial() {
        let square = PolynomialSchedule(from: 5, to: 1, power: 2, steps: 4)
        #expect(Self.near(Self.values(square, [0, 1, 2, 3, 4, 9]), [5, 3.25, 2, 1.25, 1, 1]))
        #expect(PolynomialSchedule(from: 5, power: 2).resolved(horizon: 4).value(at: 2) == 1.25)
    }

    @Test func piecewise() {
        let schedule = PiecewiseSchedule([5, -1, 2], boundaries: [3, 4])
        #expect(Self.values(schedule, [0, 2, 3, 4, 1 << 40]) == [5, 5, -1, 2, 2])
        #expect(PiecewiseSchedule([7], boundaries: []).value(at: 100) == 7)
    }

    @Test func riseNearTheEnd() {
        // 80 steps down from 4 to 1, 20 up to 3.
        let schedule = RiseNearTheEndSchedule(from: 4, low: 1, to: 3, fraction: 0.2).resolved(horizon: 100)
        #expect(Self.near(Self.values(schedule, [0, 40, 80, 90, 100, 500]), [4, 2.5, 1, 2, 3, 3]))
        let all = (0...100).map { schedule.value(at: $0) }
        #expect(zip(all, all.dropFirst()).prefix(80).allSatisfy { $0 > $1 })
        #expect(zip(all, all.dropFirst()).dropFirst(80).allSatisfy { $0 < $1 })
        // The turn may lie between two steps.
        #expect(RiseNearTheEndSchedule(from: 1, to: 1, fraction: 0.9, steps: 1).value(at: 0) == 1)
    }

    @Test func oneCycle() {
        // Up over steps 0 … 4, down over 4 … 9.
        let schedule = OneCycleSchedule(peak: 8, divisor: 4, finalDivisor: 2, riseFraction: 0.5, steps: 10)
        #expect(Self.near(Self.values(schedule, [0, 2, 4, 9, 100]), [2, 5, 8, 1, 1]))
        // No time to rise: it starts at the peak.
        #expect(OneCycleSchedule(peak: 8, riseFraction: 0, steps: 10).value(at: 0) == 8)
        #expect(OneCycleSchedule(peak: 8, divisor: 2, finalDivisor: 2, steps: 1).value(at: 0) == 2)
    }

    /// As the ends say: every schedule with a length is finite everywhere, from before its length is known on.
    @Test func finiteEverywhere() {
        let schedules: [any Schedule] = [
            CosineRestartsSchedule(from: 2, to: 1, period: 7, periodFactor: 2),
            PolynomialSchedule(from: 2, to: 1, power: 0.5), PiecewiseSchedule([1, 2], boundaries: [3]),
            RiseNearTheEndSchedule(from: 2, low: 0.5, to: 1), OneCycleSchedule(peak: 2),
        ]
        for schedule in schedules {
            #expect(schedule.value(at: 0).isFinite)
            for horizon in [1, 2, 3, 10, 1000, .max] {
                let resolved = schedule.resolved(horizon: horizon)
                #expect(!resolved.needsHorizon)
                for step in Array(0..<20) + [999, 1000, 1 << 32] {
                    let value = resolved.value(at: step)
                    #expect(
                        value >= 0 && value <= 2 + 1e-12,
                        "\(type(of: schedule)), \(horizon), \(step): \(value)")
                }
            }
        }
    }
}
