import ReinforcementLearning
import Testing

@Suite struct CollapseTests {
    private func window(_ value: Double) -> [Double] {
        (0..<100).map { value + Double($0 % 5 - 2) }
    }

    @Test func aReturnFarBelowItsBestIsTold() {
        var watch = CollapseWatch()
        #expect(watch.note(step: 1, recent: [5, 5], entropy: 0.7) == nil, "too few episodes")
        for (step, value) in [20.0, 100, 400, 450, 300].enumerated() {
            #expect(watch.note(step: step + 2, recent: window(value), entropy: 0.6) == nil, "\(value)")
        }
        let collapse = watch.note(step: 10, recent: window(100), entropy: 0.6)
        #expect(collapse?.cause == .lostReturn && collapse?.best == 450 && collapse?.step == 10)
        #expect(watch.note(step: 11, recent: window(90), entropy: 0.6) == nil, "it is told once")
        #expect(watch.note(step: 12, recent: window(440), entropy: 0.6) == nil)
        #expect(watch.note(step: 13, recent: window(50), entropy: 0.6) != nil, "and again")
        #expect(watch.collapses.map(\.step) == [10, 13])
    }

    @Test func noEntropyAndAFallingReturn() {
        var watch = CollapseWatch()
        for (step, value) in [20.0, 400].enumerated() {
            _ = watch.note(step: step, recent: window(value), entropy: 0.69)
        }
        #expect(watch.note(step: 3, recent: window(395), entropy: 1e-4) == nil, "sure, and good")
        #expect(watch.note(step: 4, recent: window(280), entropy: 1e-4)?.cause == .lostEntropy)
    }

    @Test func aPolicyThatNeverWasGoodDoesNotCollapse() {
        var watch = CollapseWatch()
        for (step, value) in [20.0, 21, 19, 21, 18.5].enumerated() {
            #expect(watch.note(step: step, recent: window(value), entropy: 1e-5) == nil)
        }
    }
}
