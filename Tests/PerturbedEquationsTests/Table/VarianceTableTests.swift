import PerturbedEquations
import Testing

/// Every catalogued perturbation has the variance that it declares.
@Suite struct VarianceTableTests {
    @Test(arguments: Subject.of(.perturbation))
    func declaredIsMeasured(_ subject: Subject) throws {
        let term = try subject.equation().perturbation[0]
        // Those shaped by inputs that the probe does not supply have tests of their own.
        let needs = term.requirements(at: 0)
        guard needs.signals.isEmpty && !needs.contains(.secondMoment) else { return }
        try ElementVarianceTests.check([term], stability: Stability())
    }

    /// All of them do: none is refused by a rule that needs it.
    @Test(arguments: Subject.of(.perturbation))
    func allDeclareOne(_ subject: Subject) throws {
        let equation = PerturbedEquation(
            rule: AdamPE(learningRate: 0.1), perturbation: try subject.equation().perturbation)
        do {
            try equation.validate()
        } catch let error as ConfigurationError where error.message.contains("second moment") {
            // That of the rule is asked for after the variance, and AdamPE keeps none.
        }
    }
}
