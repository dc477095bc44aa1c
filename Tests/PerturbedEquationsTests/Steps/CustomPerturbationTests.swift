import PerturbedEquations
import Testing

/// δ = σ·ξ³: the example of Perturbation's documentation.
struct CubedNoise: Perturbation {
    var sigma: Strength

    func requirements(at step: Int) -> Requirements { .tensorGradient }

    func add(
        to delta: inout MutableSpan<Float>, gradient: Span<Float>, parameters: Span<Float>, at site: Site
    ) {
        var xi = [Float](repeating: 0, count: delta.count)
        var span = xi.mutableSpan
        site.noise.fill(&span, with: .normal)
        let sigma = Float(site.sigma(sigma))
        for i in xi.indices { delta[i] += sigma * xi[i] * xi[i] * xi[i] }
    }
}

/// A term of the user's made of two built-in ones, and of its own sums: δ = noise + mean(g).
struct NoiseAboutTheMean: Perturbation {
    var noise = [Gaussian(sigma: 0.5), Gaussian(sigma: 0.25)]

    func requirements(at step: Int) -> Requirements { .sums }

    func sums(gradient: Span<Float>, parameters: Span<Float>, at site: Site) -> SIMD4<Double> {
        var sum = 0.0
        for i in 0..<gradient.count { sum += Double(gradient[i]) }
        return [sum, Double(gradient.count), 0, 0]
    }

    func add(
        to delta: inout MutableSpan<Float>, gradient: Span<Float>, parameters: Span<Float>, at site: Site
    ) {
        for term in noise { term.add(to: &delta, gradient: gradient, parameters: parameters, at: site) }
        for i in 0..<delta.count { delta[i] += Float(site.sums[0] / site.sums[1]) }
    }
}

/// A perturbation in pure Swift is a full citizen: both scalar types, any place, blocks, statistics.
@Suite struct CustomPerturbationTests {
    /// θ after one SGD step with η = 1 and g = i mod 3 from θ = 0.
    static func run<S: EquationScalar>(_ terms: [any Perturbation], threads: Int = 1, as _: S.Type) throws
        -> [S]
    {
        let tensors = Tensors<S>(sizes: [9001]) { _, _ in 0 }
        tensors.setGradient { _, i, _ in S(i % 3) }
        let optimizer = try PerturbedOptimizer(
            parameters: tensors.specs(),
            equation: PerturbedEquation(rule: SGD(learningRate: 1), perturbation: terms),
            seed: 6, engine: Engine(parallel: .dispatch(threads: threads), serialBelow: 0))
        try optimizer.step(tensors.buffers, measure: true)
        return tensors[0]
    }

    static func xi(term: Int) -> [Float] {
        NoiseStream(key: NoiseKey(seed: 6).derived("perturbation"), step: 0, parameter: 0, term: term).values(
            9001, .normal)
    }

    @Test(arguments: [0, 1])
    func cubedNoise(place: Int) throws {
        let terms: [any Perturbation] =
            place == 0 ? [CubedNoise(sigma: 0.5)] : [Adaptive(alpha: 1, .identity), CubedNoise(sigma: 0.5)]
        let xi = Self.xi(term: place)
        let narrow = try Self.run(terms, as: Float.self)
        let wide = try Self.run(terms, as: Double.self)
        for i in xi.indices {
            let g = Double(i % 3 * (1 + place))
            let expected = -g - 0.5 * Double(xi[i] * xi[i] * xi[i])
            #expect(abs(Double(narrow[i]) - expected) < 1e-5 * (1 + abs(expected)))
            #expect(abs(wide[i] - expected) < 1e-5 * (1 + abs(expected)))
        }
        #expect(try Self.run(terms, threads: 3, as: Float.self) == narrow)
    }

    /// Two terms in one share the address of the term: both are there, with the same ξ. The first must not be
    /// stored over.
    @Test func madeOfBuiltInTerms() throws {
        let xi = Self.xi(term: 0)
        for theta in [
            try Self.run([NoiseAboutTheMean()], as: Float.self),
            try Self.run([NoiseAboutTheMean()], as: Double.self).map { Float($0) },
        ] {
            let mean = (0..<9001).reduce(0) { $0 + Double($1 % 3) } / 9001
            for i in xi.indices {
                let expected = -Double(i % 3) - 0.75 * Double(xi[i]) - mean
                #expect(abs(Double(theta[i]) - expected) < 1e-5)
            }
        }
    }

    /// It has a name and can be written down and read, once it is in the catalogue.
    @Test func theName() {
        #expect(CubedNoise.catalogueEntry.name == "CubedNoise")
    }
}
