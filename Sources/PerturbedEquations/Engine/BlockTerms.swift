import CPerturbationKernels

/// Elementary terms of δ of one block, in order: of one perturbation, or of several where a rule makes them on the way.
///
/// Kept in place, since there is one list for each block.
struct BlockTerms {
    /// How many terms there can be.
    static let limit = 6

    private(set) var count = 0
    private var terms = (pk_term(), pk_term(), pk_term(), pk_term(), pk_term(), pk_term())

    /// δ += w·P, the weight in the factors of P's terms.
    mutating func append<S: EquationScalar>(
        _ perturbation: some ElementaryPerturbation, weight: Double, at site: Site, _: S.Type
    ) {
        let before = count
        perturbation.appendTerms(to: &self, at: site, for: S.self)
        guard weight != 1 else { return }
        let own = before..<count
        withUnsafeMutablePointer(to: &terms) {
            $0.withMemoryRebound(to: pk_term.self, capacity: Self.limit) {
                for number in own { $0[number].scale *= weight }
            }
        }
    }

    /// δ += s·ξ or s·g ⊙ ξ
    mutating func append(_ draw: NoiseDraw, from noise: NoiseStream) {
        append(
            pk_term(
                kind: draw.isByGradient ? PK_NOISE_BY_GRADIENT : PK_NOISE, scale: draw.scale,
                distribution: draw.distribution, stream: noise.address, first: noise.firstElement,
                p: draw.probability))
    }

    /// δ += scale·g
    mutating func append(alongGradient scale: Double) { append(PK_ALONG_GRADIENT, scale) }
    /// δ += scale·θ
    mutating func append(alongParameters scale: Double) { append(PK_ALONG_PARAMETERS, scale) }
    /// δ += scale·sign θ
    mutating func append(alongSigns scale: Double) { append(PK_ALONG_SIGNS, scale) }

    private mutating func append(_ kind: pk_term_kind, _ scale: Double) {
        append(
            pk_term(
                kind: kind, scale: scale, distribution: PK_NORMAL, stream: pk_stream(), first: 0, p: 0))
    }

    private mutating func append(_ term: pk_term) {
        precondition(count < Self.limit, "δ of a block has at most \(Self.limit) elementary terms")
        withUnsafeMutablePointer(to: &terms) {
            $0.withMemoryRebound(to: pk_term.self, capacity: Self.limit) { $0[count] = term }
        }
        count += 1
    }

    /// Lends the terms to a kernel.
    func withTerms<Result>(_ body: (UnsafePointer<pk_term>) -> Result) -> Result {
        withUnsafePointer(to: terms) {
            $0.withMemoryRebound(to: pk_term.self, capacity: Self.limit, body)
        }
    }

    /// Adds the terms to a stored δ; its first one stores where δ is undefined.
    func add<S: EquationScalar>(
        to delta: UnsafeMutableBufferPointer<S>, gradient: UnsafeBufferPointer<S>,
        parameters: UnsafeBufferPointer<S>, at site: Site
    ) {
        let kernels = S.kernels(site.noise.level)
        withTerms { terms in
            if count == 0 || terms[0].kind != PK_NOISE { site.clearIfFirst(delta) }
            for number in 0..<count {
                let scale = terms[number].scale
                switch terms[number].kind {
                case PK_ALONG_GRADIENT:
                    kernels.pointee.add_scaled(delta.baseAddress, gradient.baseAddress, delta.count, scale)
                case PK_ALONG_PARAMETERS:
                    kernels.pointee.add_scaled(delta.baseAddress, parameters.baseAddress, delta.count, scale)
                case PK_ALONG_SIGNS:
                    kernels.pointee.add_sign(delta.baseAddress, parameters.baseAddress, delta.count, scale)
                default: draw(terms + number, to: delta, gradient, site.noise.level, number == 0 ? site : nil)
                }
            }
        }
    }

    /// - Parameter first: the site of the first term, which touches what the update needs and may have to store.
    private func draw<S: EquationScalar>(
        _ term: UnsafePointer<pk_term>, to delta: UnsafeMutableBufferPointer<S>,
        _ gradient: UnsafeBufferPointer<S>, _ level: SIMDLevel, _ first: Site?
    ) {
        let isByGradient = term.pointee.kind == PK_NOISE_BY_GRADIENT
        let mode = isByGradient ? PK_ADD_SCALED : first?.mode ?? PK_ADD
        var stream = term.pointee.stream
        func run(_ prefetch: UnsafePointer<pk_prefetch>?) {
            S.kernels(level).pointee.noise(
                term.pointee.distribution, mode, delta.baseAddress, isByGradient ? gradient.baseAddress : nil,
                delta.count, term.pointee.scale, term.pointee.p, &stream, term.pointee.first, prefetch)
        }
        if var prefetch = first?.noise.prefetch { run(&prefetch) } else { run(nil) }
    }
}
