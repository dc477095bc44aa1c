import CPerturbationKernels

/// A perturbation that is a short sum of elementary terms, which the kernels know: s·ξ, s·g ⊙ ξ, s·g, s·θ and so on, see
/// `BlockTerms`.
///
/// It only says which: they are added to a stored δ, or a rule's kernel makes them on its way over θ and needs none
/// (`DrawingRule`). The bits are the same.
protocol ElementaryPerturbation: KernelPerturbation {
    /// How many terms it has at most.
    static var mostTerms: Int { get }
    /// Whether this one is such a sum; true unless told.
    var isElementary: Bool { get }
    /// Appends its terms at a site, in the order in which they are added. A factor that is not a finite number of the
    /// type S must be left out.
    func appendTerms<S: EquationScalar>(to terms: inout BlockTerms, at site: Site, for _: S.Type)
}

extension ElementaryPerturbation {
    var isElementary: Bool { true }

    func accumulate<S: EquationScalar>(
        _ delta: UnsafeMutableBufferPointer<S>, gradient: UnsafeBufferPointer<S>,
        parameters: UnsafeBufferPointer<S>, at site: Site
    ) {
        accumulateTerms(delta, gradient: gradient, parameters: parameters, at: site)
    }

    func accumulateTerms<S: EquationScalar>(
        _ delta: UnsafeMutableBufferPointer<S>, gradient: UnsafeBufferPointer<S>,
        parameters: UnsafeBufferPointer<S>, at site: Site
    ) {
        var terms = BlockTerms()
        appendTerms(to: &terms, at: site, for: S.self)
        terms.add(to: delta, gradient: gradient, parameters: parameters, at: site)
    }
}
