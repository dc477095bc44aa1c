import PerturbedEquations

/// A term of a user's own that uses all that terms are lent: δ = n·(θ₀ − 1) + h + Σ, where n counts its steps, θ₀ is
/// kept, h is the signal and Σ = Σₜ|g|/Σ|g| of the tensor, found in two rounds.
struct ProbeTerm: Perturbation {
    static let catalogueEntry = CatalogueEntry(
        name: "probeTerm", summary: "Shows what terms are lent.", equation: "δ = n·(θ₀ − 1) + h + Σ",
        parameters: [], source: "")

    var zeroUntil = 0

    func requirements(at step: Int) -> Requirements {
        [.moreSums, .secondMoment, .learningRate, .signal(.hessianDiagonal)]
    }

    func isZero(at step: Int) -> Bool { step < zeroUntil }

    var initialMemory: SIMD4<Double>? { [10, 0, 0, 0] }

    func remember(_ memory: inout SIMD4<Double>, at site: Site) {
        memory[0] += 1
        memory[1] = Double(site.update)
        memory[2] = site.moreSums[0]
        memory[3] = site.overallSums[0]
    }

    var storedNames: [String] { ["unused", "start"] }

    func initialise(_ stored: inout MutableSpan<Float>, number: Int, from parameters: Span<Float>) {
        for i in 0..<stored.count where number == 1 { stored[i] = parameters[i] - 1 }
    }

    func initialise(_ stored: inout MutableSpan<Double>, number: Int, from parameters: Span<Double>) {
        for i in 0..<stored.count where number == 1 { stored[i] = parameters[i] - 1 }
    }

    func sums(gradient: Span<Float>, parameters: Span<Float>, at site: Site) -> SIMD4<Double> {
        sums(gradient.indices.map { Double(gradient[$0]) }, site)
    }

    func sums(gradient: Span<Double>, parameters: Span<Double>, at site: Site) -> SIMD4<Double> {
        sums(gradient.indices.map { gradient[$0] }, site)
    }

    private func sums(_ gradient: [Double], _ site: Site) -> SIMD4<Double> {
        let sum = gradient.reduce(0) { $0 + abs($1) }
        return [site.isSecondRound ? sum / site.sums[0] : sum, 0, 0, 0]
    }

    func add(
        to delta: inout MutableSpan<Float>, gradient: Span<Float>, parameters: Span<Float>, at site: Site
    ) {
        add(Float.self, at: site) { delta[$0] += $1 }
    }

    func add(
        to delta: inout MutableSpan<Double>, gradient: Span<Double>, parameters: Span<Double>, at site: Site
    ) {
        add(Double.self, at: site) { delta[$0] += $1 }
    }

    private func add<S: EquationScalar>(_: S.Type, at site: Site, _ add: (Int, S) -> Void) {
        let start = site.stored(1, as: S.self)
        let signal = site.signal(.hessianDiagonal, as: S.self)
        precondition(site.secondMoment(as: S.self)!.count == start.count)
        for i in start.indices {
            add(i, S(site.memory[0]) * start[i] + signal[i] + S(site.moreSums[0]))
        }
    }
}

/// Its parts, each with a weight: what the engine makes of composites.
struct ProbeComposite: CompositePerturbation {
    static let catalogueEntry = CatalogueEntry(
        name: "probeComposite", summary: "Terms with weights.", equation: "δ = Σ wP", parameters: [],
        source: "")

    var parts: [any Perturbation]
    var weights: [Double]

    init(_ parts: [any Perturbation], _ weights: [Double]) {
        self.parts = parts
        self.weights = weights
    }

    func path(ofPart number: Int) -> String { "parts.\(number)" }
    func weight(ofPart number: Int, at step: Int, word: UInt64) -> Double { weights[number] }

    init(from decoder: any Decoder) throws { fatalError("not read in these tests") }
    func encode(to encoder: any Encoder) throws { fatalError("not written in these tests") }
}
