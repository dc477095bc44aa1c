/// A term of δ: something added to the gradient, δ(t) = P(ξ; g, θ, t).
///
/// A perturbation is a small value. It adds itself to one block of δ at a time, on any thread and in any
/// order, so it must be a pure function of its arguments; randomness comes from `site.noise`.
///
/// ```swift
/// /// δ = σ·ξ³: heavy tails.
/// struct CubedNoise: Perturbation {
///     var sigma: Strength
///
///     func add(
///         to delta: inout MutableSpan<Float>, gradient: Span<Float>, parameters: Span<Float>, at site: Site
///     ) {
///         var xi = [Float](repeating: 0, count: delta.count)
///         var span = xi.mutableSpan
///         site.noise.fill(&span, with: .normal)
///         let sigma = Float(site.sigma(sigma))
///         for i in xi.indices { delta[i] += sigma * xi[i] * xi[i] * xi[i] }
///     }
/// }
/// ```
///
/// `Examples/CustomPerturbation` is such a type in a program that runs.
public protocol Perturbation: Catalogued {
    /// What the engine must gather first, at this step. Nothing unless told.
    func requirements(at step: Int) -> Requirements

    /// Whether δ is exactly zero at this step, so that the term can be left out. False unless told.
    func isZero(at step: Int) -> Bool

    /// Whether it is noise, whose strength controllers with `scales: sigma` and the cuts after rollbacks scale. True
    /// unless told.
    var isNoise: Bool { get }

    /// The noise strength at `site`, for progress and reports; nil where the term has none.
    func strength(at site: Site) -> Double?

    /// The variance of an element of the term's noise at `site`, given g. `.zero` for a term without
    /// randomness. nil, unless told, where it is unknown; that must not depend on the site: rules that need it
    /// (AdamPE, RMSPE) then refuse the term.
    func variance(at site: Site) -> ElementVariance?

    /// A bound on an element of the term at `site`, given g. nil, unless told, where there is none: each step then
    /// computes the term once more, to be sure that it is finite before any state is touched. `site.gradient` has
    /// the largest root mean square and count that any tensor may have; `sums` are not known yet.
    func bound(at site: Site) -> ElementBound?

    /// The term's own sums over one block, such as ⟨ξ, g⟩: the engine adds them up over the tensor in a
    /// fixed order and hands them to `add` as `site.sums`. Called only if `.sums` is required.
    func sums(gradient: Span<Float>, parameters: Span<Float>, at site: Site) -> SIMD4<Double>
    func sums(gradient: Span<Double>, parameters: Span<Double>, at site: Site) -> SIMD4<Double>

    /// The numbers that the term keeps for each tensor, as they are before its first step; nil, unless told, for
    /// none. They belong to the optimizer, are saved with its state and come back with a rollback.
    var initialMemory: SIMD4<Double>? { get }

    /// Changes the numbers, which must stay finite. Called once per tensor in each applied step in which the term
    /// takes part, after `sums` and before `add`, on one thread.
    func remember(_ memory: inout SIMD4<Double>, at site: Site)

    /// The names of tensors that the term keeps for each parameter, of its shape; none unless told. They belong to
    /// the optimizer, are filled once, before the first update, and are saved with its state.
    var storedNames: [String] { get }

    /// Fills one block of the kept tensor `number`. Types with `storedNames` implement both.
    func initialise(_ stored: inout MutableSpan<Float>, number: Int, from parameters: Span<Float>)
    func initialise(_ stored: inout MutableSpan<Double>, number: Int, from parameters: Span<Double>)

    /// Adds the term to one block of δ.
    ///
    /// - Parameters:
    ///   - delta: the block's δ so far.
    ///   - gradient: the block's gradient, after clipping.
    ///   - parameters: the block's θ.
    func add(
        to delta: inout MutableSpan<Float>, gradient: Span<Float>, parameters: Span<Float>, at site: Site)
    /// The same for float64 parameters. Unless told, it goes through float32.
    func add(
        to delta: inout MutableSpan<Double>, gradient: Span<Double>, parameters: Span<Double>, at site: Site)

    /// Changes each schedule in place (to fill in lengths). Types with schedules implement it.
    mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows
}

extension Perturbation {
    public static var catalogueEntry: CatalogueEntry {
        CatalogueEntry(
            name: String(describing: Self.self), summary: "A perturbation of your own.", equation: "",
            parameters: [], source: "")
    }

    public func requirements(at step: Int) -> Requirements { [] }
    public func isZero(at step: Int) -> Bool { false }
    public var isNoise: Bool { true }
    public func strength(at site: Site) -> Double? { nil }
    public func variance(at site: Site) -> ElementVariance? { nil }
    public func bound(at site: Site) -> ElementBound? { nil }
    public func sums(gradient: Span<Float>, parameters: Span<Float>, at site: Site) -> SIMD4<Double> { .zero }
    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {}
    public var initialMemory: SIMD4<Double>? { nil }
    public func remember(_ memory: inout SIMD4<Double>, at site: Site) {}
    public var storedNames: [String] { [] }

    public func initialise(_ stored: inout MutableSpan<Float>, number: Int, from parameters: Span<Float>) {
        preconditionFailure("\(Self.self) keeps tensors and must implement `initialise`")
    }

    public func initialise(_ stored: inout MutableSpan<Double>, number: Int, from parameters: Span<Double>) {
        preconditionFailure("\(Self.self) keeps tensors and must implement `initialise`")
    }

    public func sums(gradient: Span<Double>, parameters: Span<Double>, at site: Site) -> SIMD4<Double> {
        let g = [Float](narrowing: gradient)
        let p = [Float](narrowing: parameters)
        return sums(gradient: g.span, parameters: p.span, at: site)
    }

    public func add(
        to delta: inout MutableSpan<Double>, gradient: Span<Double>, parameters: Span<Double>, at site: Site
    ) {
        let g = [Float](narrowing: gradient)
        let p = [Float](narrowing: parameters)
        var own = [Float](repeating: 0, count: delta.count)
        var span = own.mutableSpan
        add(to: &span, gradient: g.span, parameters: p.span, at: site)
        for i in 0..<own.count { delta[i] += Double(own[i]) }
    }
}

extension [Float] {
    fileprivate init(narrowing values: Span<Double>) {
        self.init(unsafeUninitializedCapacity: values.count) { buffer, initialized in
            for i in 0..<values.count { buffer[i] = Float(values[i]) }
            initialized = values.count
        }
    }
}
