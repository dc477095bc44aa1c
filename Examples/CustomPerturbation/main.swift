// A perturbation of your own, in pure Swift, in one file: heavy-tailed noise that starts late.
//
//     swift run -c release CustomPerturbation
//
// It minimises Rosenbrock's function with and without the noise and prints where both end. The noise is
// addressed, so the numbers are the same on every run, machine and thread count.

import PerturbedEquations

/// δ = σ(t)·ξ³/√15, ξ ~ N(0, 1), from step `from` on: standard deviation σ, tails far heavier than normal.
struct CubedNoise: Perturbation {
    var sigma: Strength
    var from: Int

    func isZero(at step: Int) -> Bool { step < from }

    func strength(at site: Site) -> Double? { site.sigma(sigma) }

    mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        if case .absolute(var schedule) = sigma {
            try body(&schedule)
            sigma = .absolute(schedule)
        }
    }

    func add(
        to delta: inout MutableSpan<Float>, gradient: Span<Float>, parameters: Span<Float>, at site: Site
    ) {
        var xi = [Float](repeating: 0, count: delta.count)
        var span = xi.mutableSpan
        site.noise.fill(&span, with: .normal)
        let scale = Float(site.sigma(sigma)) / Float(15).squareRoot()
        for i in xi.indices { delta[i] += scale * xi[i] * xi[i] * xi[i] }
    }
}

/// (1 − x)² + 100·(y − x²)², smallest at (1, 1).
func rosenbrock(_ p: [Float]) -> (value: Float, gradient: [Float]) {
    let (x, y) = (p[0], p[1])
    let value = (1 - x) * (1 - x) + 100 * (y - x * x) * (y - x * x)
    return (value, [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)])
}

for (name, terms) in [("adam", []), ("adam + cubed noise", [CubedNoise(sigma: 2, from: 100)])] {
    var theta: [Float] = [-1.2, 1]
    let optimizer = try PerturbedOptimizer(
        parameters: [ParameterSpec("theta", shape: [2])],
        equation: PerturbedEquation(
            rule: Adam(learningRate: Scheduled(CosineSchedule(from: 0.02))),
            perturbation: terms as [any Perturbation]),
        seed: 1, horizon: 3000)
    for _ in 0..<3000 {
        try optimizer.step(&theta, gradient: rosenbrock(theta).gradient)
    }
    print("\(name): θ = (\(theta[0]), \(theta[1])), f = \(rosenbrock(theta).value)")
}
