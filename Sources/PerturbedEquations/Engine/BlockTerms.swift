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
        append(draw.isByGradient ? PK_NOISE_BY_GRADIENT : PK_NOISE, draw.scale) {
            $0.distribution = draw.distribution
            $0.p = draw.probability
            $0.draw(from: noise)
        }
    }

    /// δ += scale·c ⊙ ξ, ξ ~ N(0, 1), with c of h as the shape says.
    mutating func append<S: EquationScalar>(
        noiseShapedBy h: UnsafeBufferPointer<S>, _ shape: NoiseShape, scale: Double, from noise: NoiseStream
    ) {
        append(PK_SHAPED_NOISE, scale) {
            $0.input = UnsafeRawPointer(h.baseAddress)
            $0.input_scale = shape.scale
            $0.damping = shape.damping
            $0.quarters = shape.quarters
            $0.draw(from: noise)
        }
    }

    /// δ += scale·(n with probability p/(p + n), else −p), p the positive parts' mean times `clip` and n = p − g.
    mutating func append<S: EquationScalar>(
        signDropBy positive: UnsafeBufferPointer<S>, clip: Double, scale: Double, from noise: NoiseStream
    ) {
        append(PK_SIGN_DROP, scale) {
            $0.input = UnsafeRawPointer(positive.baseAddress)
            $0.input_scale = clip
            $0.draw(from: noise)
        }
    }

    /// δ += scale·g
    mutating func append(alongGradient scale: Double) { append(PK_ALONG_GRADIENT, scale) }
    /// δ += scale·θ
    mutating func append(alongParameters scale: Double) { append(PK_ALONG_PARAMETERS, scale) }
    /// δ += scale·sign θ
    mutating func append(alongSigns scale: Double) { append(PK_ALONG_SIGNS, scale) }

    /// δ += scale·x, x of the block's length.
    mutating func append<S: EquationScalar>(along x: UnsafeBufferPointer<S>, _ scale: Double) {
        append(PK_ALONG_INPUT, scale) { $0.input = UnsafeRawPointer(x.baseAddress) }
    }

    /// δ += scale·(θ − x), x of the block's length.
    mutating func append<S: EquationScalar>(
        alongDifferenceFrom x: UnsafeBufferPointer<S>, _ scale: Double
    ) {
        append(PK_ALONG_DIFFERENCE, scale) { $0.input = UnsafeRawPointer(x.baseAddress) }
    }

    /// δ += scale·f(inner·g)
    mutating func append(_ function: pk_function, _ scale: Double, inner: Double = 1) {
        append(PK_FUNCTION, scale) {
            $0.function = function
            $0.input_scale = inner
        }
    }

    private mutating func append(
        _ kind: pk_term_kind, _ scale: Double, _ complete: (inout pk_term) -> Void = { _ in }
    ) {
        var term = pk_term()
        term.kind = kind
        term.scale = scale
        complete(&term)
        append(term)
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
        func run(_ prefetch: UnsafePointer<pk_prefetch>?) {
            withTerms {
                S.kernels(site.noise.level).pointee.add_terms(
                    $0, count, delta.baseAddress, parameters.baseAddress, gradient.baseAddress, delta.count,
                    site.isFirst ? 1 : 0, prefetch)
            }
        }
        if var prefetch = site.noise.prefetch { run(&prefetch) } else { run(nil) }
    }
}

extension pk_term {
    fileprivate mutating func draw(from noise: NoiseStream) {
        stream = noise.address
        first = noise.firstElement
    }
}

/// What shapes noise by h: c = r^(quarters/2), r = √|h|·scale + damping.
struct NoiseShape {
    var scale: Double
    var damping: Double
    /// −4 … 4, not 0.
    var quarters: Int32
}
