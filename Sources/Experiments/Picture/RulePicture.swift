import PerturbedEquations

/// The path of a rule on a quadratic, without noise and with it, and where the noise keeps θ in the end.
enum RulePicture {
    private static let descent = 60
    private static let draws = 600

    static func svg(of named: CataloguePicture.Named, seed: UInt64) throws -> String {
        let rule = try ConfigDecoder.decode(NamedRule.self, from: named.node).rule
        let isSampler = rule is any PosteriorRule
        let learnsNormal = rule is any VariationalRule
        // Samplers bring their own noise, and more would heat them; so do rules that evaluate at draws.
        let noise: [any Perturbation] = isSampler || learnsNormal ? [] : [Gaussian(sigma: 1)]
        let noisy = try WatchedQuadratic(
            PerturbedEquation(rule: rule, perturbation: noise), steps: descent + draws, batchNoise: 0,
            seed: seed)
        var way = WatchedQuadratic.plot(
            isSampler || learnsNormal ? "\(descent) steps" : "\(descent) steps: without noise, with it")
        if !noise.isEmpty {
            let quiet = try WatchedQuadratic(
                PerturbedEquation(rule: rule, perturbation: [Gaussian(sigma: 0)]), steps: descent,
                batchNoise: 0,
                seed: seed)
            way.line(quiet.path, .orange, thickness: 2)
        }
        way.line(Array(noisy.path.prefix(descent + 1)), .blue)
        way.dots([WatchedQuadratic.start], .orange, size: 5)
        let late = learnsNormal ? noisy.places.suffix(draws) : noisy.path.suffix(draws)
        var stay = WatchedQuadratic.plot(
            learnsNormal ? "the next draws from q" : "the next \(draws) steps")
        stay.dots(Array(late), .blue)
        let source =
            isSampler
            ? "with the posterior exp(−L)"
            : learnsNormal ? "its own draws" : "the noise is gaussian: {sigma: 1}"
        return PlotPage(
            boxes: [way, stay],
            caption: "\(named.name): \(named.entry.equation); here L = ½(θ₁² + 6θ₂²), \(source)"
        ).svg()
    }
}
