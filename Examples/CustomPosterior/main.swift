// Samples a density of your own: swift run -c release CustomPosterior
//
// A banana: x ~ N(0, 1) and y ~ N(x², ½²), in 30 lines. U is −log of the density up to a constant; the closure writes its
// gradient. Four chains run side by side, and their diagnostics say whether the draws can be trusted.

import PerturbedEquations
import PosteriorSampling
import Statistics

let banana = try Potential<Double>(dimension: 2) { theta, gradient in
    let (x, y) = (theta[0], theta[1])
    let off = y - x * x
    gradient[0] = x - 8 * x * off
    gradient[1] = 4 * off
    return 0.5 * x * x + 2 * off * off
}

var sampler = PosteriorSampler(
    banana, rule: SGHMC(learningRate: 0.002, friction: 0.05),
    schedule: SamplingSchedule(steps: 400_000, burnIn: 10_000, thin: 50))
sampler.functions = [
    ChainFunction("x") { $0[0] }, ChainFunction("y") { $0[1] },
    ChainFunction("x²") { $0[0] * $0[0] },
]
let samples = try sampler.sample()
print("\(samples.draws) draws of each of \(samples.chains) chains")
for name in samples.functions.dropFirst() {
    let found = ChainDiagnostics(try samples.function(name))
    print(
        "E[\(name)] = \(found.mean) ± \(found.meanError), R̂ \(found.splitRHat), \(Int(found.bulkEffectiveSize)) effective"
            + (found.warning.map { ": \($0)" } ?? ""))
}
