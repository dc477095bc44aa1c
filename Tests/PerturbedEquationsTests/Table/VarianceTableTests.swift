import PerturbedEquations
import Testing

/// Every catalogued perturbation that declares a variance has it.
@Suite struct VarianceTableTests {
    @Test(arguments: Subject.of(.perturbation))
    func declaredIsMeasured(_ subject: Subject) throws {
        let term = try subject.equation().perturbation[0]
        // Those shaped by inputs that the probe does not supply have tests of their own.
        let needs = term.requirements(at: 0)
        guard needs.signals.isEmpty && !needs.contains(.secondMoment) else { return }
        do {
            try ElementVarianceTests.check([term], stability: Stability())
        } catch let error as ConfigurationError where error.message.contains("variance") {
            // A term that declares none is refused by a rule that needs it; nothing to measure.
        }
    }
}
