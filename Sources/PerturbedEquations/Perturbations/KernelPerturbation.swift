/// A perturbation whose arithmetic is the kernels', the same for float32 and float64.
///
/// On the first term of a step δ is undefined and must be stored, not added to: `site.isFirst` says so.
protocol KernelPerturbation: Perturbation {
    func accumulate<S: EquationScalar>(
        _ delta: UnsafeMutableBufferPointer<S>, gradient: UnsafeBufferPointer<S>,
        parameters: UnsafeBufferPointer<S>, at site: Site)

    func kernelSums<S: EquationScalar>(
        gradient: UnsafeBufferPointer<S>, parameters: UnsafeBufferPointer<S>, at site: Site
    ) -> SIMD4<Double>
}

extension KernelPerturbation {
    func kernelSums<S: EquationScalar>(
        gradient: UnsafeBufferPointer<S>, parameters: UnsafeBufferPointer<S>, at site: Site
    ) -> SIMD4<Double> { .zero }

    public func add(
        to delta: inout MutableSpan<Float>, gradient: Span<Float>, parameters: Span<Float>, at site: Site
    ) {
        addKernel(to: &delta, gradient, parameters, site)
    }

    public func add(
        to delta: inout MutableSpan<Double>, gradient: Span<Double>, parameters: Span<Double>, at site: Site
    ) {
        addKernel(to: &delta, gradient, parameters, site)
    }

    public func sums(gradient: Span<Float>, parameters: Span<Float>, at site: Site) -> SIMD4<Double> {
        gradient.withUnsafeBufferPointer { g in
            parameters.withUnsafeBufferPointer { p in kernelSums(gradient: g, parameters: p, at: site) }
        }
    }

    public func sums(gradient: Span<Double>, parameters: Span<Double>, at site: Site) -> SIMD4<Double> {
        gradient.withUnsafeBufferPointer { g in
            parameters.withUnsafeBufferPointer { p in kernelSums(gradient: g, parameters: p, at: site) }
        }
    }

    private func addKernel<S: EquationScalar>(
        to delta: inout MutableSpan<S>, _ gradient: Span<S>, _ parameters: Span<S>, _ site: Site
    ) {
        delta.withUnsafeMutableBufferPointer { d in
            gradient.withUnsafeBufferPointer { g in
                parameters.withUnsafeBufferPointer { p in
                    accumulate(d, gradient: g, parameters: p, at: site)
                }
            }
        }
    }
}

extension Site {
    /// Makes δ defined for a term that can only add.
    func clearIfFirst<S: EquationScalar>(_ delta: UnsafeMutableBufferPointer<S>) {
        if isFirst { delta.update(repeating: 0) }
    }
}
