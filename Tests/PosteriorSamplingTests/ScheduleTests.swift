import Foundation
import PerturbedEquations
import PosteriorSampling
import Testing

@Suite struct SamplingScheduleTests {
    @Test func drawsAreThoseThatAreKept() throws {
        for schedule in [
            SamplingSchedule(steps: 100), SamplingSchedule(steps: 100, burnIn: 0),
            SamplingSchedule(steps: 103, burnIn: 10, thin: 7),
            SamplingSchedule(steps: 1000, burnIn: 95, thin: 3, cycle: SamplingCycle(length: 50)),
            SamplingSchedule(
                steps: 999, burnIn: 0, thin: 1, cycle: SamplingCycle(length: 100, exploration: 0.25)),
        ] {
            try schedule.validate()
            var count = 0
            for step in 1...schedule.steps {
                if schedule.keeps(after: step) {
                    count += 1
                    #expect(step > schedule.burnIn)
                    if let cycle = schedule.cycle {
                        #expect(Double((step - 1) % cycle.length) >= cycle.exploration * Double(cycle.length))
                    }
                }
                #expect(schedule.draws(after: step) == count)
            }
            #expect(schedule.draws == count)
        }
        #expect(SamplingSchedule(steps: 100).draws == 50)
        #expect(SamplingSchedule(steps: 103, burnIn: 10, thin: 7).draws == 13)
    }

    /// Zhang 2020: half a cosine in each cycle; noise in the low phase alone.
    @Test func theCycleIsThePapers() throws {
        let cycle = SamplingCycle(length: 20, exploration: 0.7)
        let equation = try PerturbedEquation(rule: SGLD(learningRate: 0.3, temperature: 0.5)).sampling(
            MinibatchScale(examples: 40), cycle: cycle)
        let rule = try #require(equation.rule as? SGLD)
        #expect(rule.dataSize == 40)
        for step in 0..<60 {
            let r = Double(step % 20) / 20
            let rate = 0.3 * 0.5 * (1 + cos(.pi * r))
            #expect(abs(rule.learningRate.value(at: step) - rate) < 1e-12)
            #expect(rule.temperature.value(at: step) == (r >= 0.7 ? 0.5 : 0))
        }
    }

    /// A thermostat waits while there is no temperature that it could settle at.
    @Test func theThermostatWaitsWhereACycleExplores() throws {
        let equation = try PerturbedEquation(rule: SGNHT(learningRate: 0.01, friction: 0.05)).sampling(
            MinibatchScale(examples: 1), cycle: SamplingCycle(length: 100, exploration: 0.5))
        let optimizer = try PerturbedOptimizer(
            parameters: [ParameterSpec("theta", shape: [2], scalar: .float64)], equation: equation, seed: 3)
        var theta = [30.0, -20]
        var seen: [Double] = []
        for _ in 0..<200 {
            let slope = theta
            try optimizer.step(&theta, gradient: slope)
            seen.append(try #require(optimizer.scalars.ruleMemory?[0][0]))
        }
        #expect(seen[..<50].allSatisfy { $0 == 0.05 }, "\(seen[..<50])")
        #expect(seen[50] != 0.05 && seen[99] != seen[50])
        #expect(seen[100..<150].allSatisfy { $0 == seen[99] })
        #expect(seen[150] != seen[99])
    }

    @Test func whatCannotBeUsedIsRefused() {
        func message(_ body: () throws -> Void) -> String {
            do { try body() } catch { return "\(error)" }
            return "accepted"
        }
        #expect(message { try SamplingSchedule(steps: 0).validate() }.hasPrefix("steps: is 0"))
        #expect(
            message { try SamplingSchedule(steps: 10, burnIn: 10).validate() }.contains("what leaves a draw"))
        #expect(message { try SamplingSchedule(steps: 10, thin: 0).validate() }.hasPrefix("thin: is 0"))
        #expect(
            message { try SamplingSchedule(steps: 10, cycle: SamplingCycle(length: 1)).validate() }.hasPrefix(
                "cycle.length: is 1"))
        #expect(
            message {
                try SamplingSchedule(steps: 10, cycle: SamplingCycle(length: 5, exploration: 1)).validate()
            }.hasPrefix("cycle.exploration: is 1.0"))
        #expect(
            message { try SamplingSchedule(steps: 10, thin: .max).validate() }
                == "thin: is \(Int.max); allowed: 1 … 2³¹")
        // The last of 500 steps is at r = 0.998.
        func cycle(_ exploration: Double) -> SamplingSchedule {
            SamplingSchedule(
                steps: 1000, burnIn: 0, cycle: SamplingCycle(length: 500, exploration: exploration))
        }
        #expect(
            message { try cycle(0.999).validate() }.hasPrefix(
                "cycle.exploration: is 0.999; allowed: 0 to 1 − 1/500"))
        #expect(message { try cycle(0.998).validate() } == "accepted" && cycle(0.998).draws == 2)
        var late = cycle(0.99)
        late.burnIn = 999
        late.thin = 2
        #expect(
            message { try late.validate() }.contains(
                "what leaves a draw (at one of the last 5 of each cycle's 500 steps)"))
        let scale = MinibatchScale(examples: 7)
        #expect(
            message { _ = try PerturbedEquation(rule: Adam(learningRate: 1)).sampling(scale) }.contains(
                "is adam, which goes to a mode and does not sample; allowed: sgld, psgld, sghmc, sgnht"))
        #expect(
            message { _ = try PerturbedEquation(rule: SGLD(learningRate: 1, dataSize: 5)).sampling(scale) }
                .contains("the posterior has 7 examples"))
        #expect(
            message {
                _ = try PerturbedEquation(rule: SGLD(learningRate: 1, weightDecay: 0.1)).sampling(scale)
            }
            .contains("said by the prior"))
        #expect(
            message {
                _ = try Potential<Double>(
                    dimension: 1, examples: nil, batchSize: 1, prior: GaussianPrior()
                ) { _, _, _ in 0 }
            }.contains("examples: is missing: the losses of a batch are scaled by N/n"))
        #expect(
            message {
                _ = try Potential<Double>(
                    dimension: 1, examples: 3, batchSize: 4, prior: GaussianPrior()
                ) { _, _, _ in 0 }
            }.hasPrefix("batchSize: is 4; allowed: 1 … 3"))
        #expect(
            message {
                _ = try Potential<Double>(dimension: 1, prior: GaussianPrior(deviation: .infinity)) { _, _ in
                    0
                }
            }.hasPrefix("prior.gaussian.deviation: is inf"))
    }
}
