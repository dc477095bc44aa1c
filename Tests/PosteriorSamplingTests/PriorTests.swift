import Foundation
import PerturbedEquations
import PosteriorSampling
import Testing

/// Priors: densities that integrate to 1, with the derivative that they say.
@Suite struct PriorTests {
    static let priors: [any Prior] = [
        GaussianPrior(), GaussianPrior(deviation: 0.3), LaplacePrior(), LaplacePrior(scale: 2),
        HorseshoePrior(), HorseshoePrior(scale: 0.5, spike: 0.2),
    ]

    /// ∫p over the line, with x = tan φ, by the midpoint rule.
    @Test(arguments: priors.indices) func theyIntegrateToOne(_ index: Int) {
        let prior = Self.priors[index]
        let count = 2_000_000
        let width = Double.pi / Double(count)
        let integral = (0..<count).reduce(0.0) { sum, i in
            let angle = -Double.pi / 2 + (Double(i) + 0.5) * width
            let x = tan(angle)
            return sum + exp(-prior.energy(x)) * (1 + x * x) * width
        }
        #expect(abs(integral - 1) < 1e-5, "\(prior): \(integral)")
    }

    @Test(arguments: priors.indices) func theDerivativeIsTheEnergys(_ index: Int) {
        let prior = Self.priors[index]
        for x in [-30.0, -2, -0.3, -0.01, 0.004, 0.15, 1, 7, 1000] {
            let h = 1e-5 * max(1e-3, abs(x))
            let slope = (prior.energy(x + h) - prior.energy(x - h)) / (2 * h)
            #expect(abs(slope - prior.derivative(x)) < 1e-5 * max(1, abs(slope)), "\(prior) at \(x)")
        }
        #expect(prior.derivative(0) == 0)
        #expect(prior.energy(1.5) == prior.energy(-1.5))
    }

    @Test(arguments: priors.indices) func arraysAreElementByElement(_ index: Int) {
        let prior = Self.priors[index]
        check(prior, tolerance: 1e-12) { (theta: UnsafeBufferPointer<Double>, gradient) in
            prior.addDerivative(at: theta, share: 0.25, to: gradient)
            return prior.energy(of: theta)
        }
        check(prior, tolerance: 1e-5) { (theta: UnsafeBufferPointer<Float>, gradient) in
            prior.addDerivative(at: theta, share: 0.25, to: gradient)
            return prior.energy(of: theta)
        }
    }

    private func check<S: EquationScalar>(
        _ prior: any Prior, tolerance: Double,
        _ apply: (UnsafeBufferPointer<S>, UnsafeMutableBufferPointer<S>) -> Double
    ) {
        let theta = (0..<21).map { S($0 - 10) / 4 }
        var gradient = [S](repeating: 1, count: theta.count)
        theta.withUnsafeBufferPointer { theta in
            let energy = gradient.withUnsafeMutableBufferPointer { apply(theta, $0) }
            let sum = theta.reduce(0.0) { $0 + prior.energy(Double($1)) }
            #expect(abs(energy - sum) < 1e-9 * abs(sum))
        }
        for (x, g) in zip(theta, gradient) {
            #expect(abs(Double(g) - 1 - 0.25 * prior.derivative(Double(x))) < tolerance, "\(prior) at \(x)")
        }
    }

    @Test func improperOnesAreRefusedByName() {
        func message(_ prior: any Prior) -> String {
            do { try prior.validate() } catch { return "\(error)" }
            return "accepted"
        }
        for value in [Double.infinity, 0, -1, .nan] {
            #expect(
                message(GaussianPrior(deviation: value)).hasPrefix(
                    "deviation: is \(value); allowed: a finite number > 0"))
            #expect(message(LaplacePrior(scale: value)).hasPrefix("scale: is \(value)"))
            #expect(message(HorseshoePrior(scale: value, spike: 0.1)).hasPrefix("scale: is \(value)"))
            #expect(message(HorseshoePrior(scale: 1, spike: value)).hasPrefix("spike: is \(value)"))
        }
        #expect(message(GaussianPrior(deviation: .infinity)).contains("improper"))
        // Of these float64 has no square, or none that can be divided by.
        for value in [1e-200, 1e200, 1e-160] {
            #expect(
                message(GaussianPrior(deviation: value)).hasPrefix(
                    "deviation: is \(value); allowed: 1e-154 to 1e154"))
            #expect(message(LaplacePrior(scale: value)).hasPrefix("scale: is \(value)"))
            #expect(message(HorseshoePrior(scale: value, spike: value)).hasPrefix("scale: is \(value)"))
        }
        for prior in [
            HorseshoePrior(scale: 1e100, spike: 1e-100), HorseshoePrior(scale: 1e-100, spike: 1e100),
        ] { #expect(message(prior).hasPrefix("spike: is \(prior.spike); allowed: 1e-154 to 1e154 times")) }
        for prior in [GaussianPrior(deviation: 1e-154), GaussianPrior(deviation: 1e154)] {
            #expect(message(prior) == "accepted")
            #expect(prior.energy(prior.deviation).isFinite && prior.derivative(prior.deviation).isFinite)
        }
        for name in ["flat", "uniform", "none"] {
            do {
                _ = try JSONDecoder().decode([NamedPrior].self, from: Data("[\"\(name)\"]".utf8))
                Issue.record("\(name) was accepted")
            } catch {
                #expect(
                    "\(error)".contains("is \(name), which is improper") && "\(error)".contains("gaussian"),
                    "\(error)")
            }
        }
    }
}
