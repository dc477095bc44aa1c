/// Reaches the overload of a perturbation or rule for one scalar type from generic code.
protocol BlockScalar: EquationScalar {
    static func sums(
        _ term: any Perturbation, _ gradient: Span<Self>, _ parameters: Span<Self>, _ site: Site
    ) -> SIMD4<Double>
    static func add(
        _ term: any Perturbation, to delta: inout MutableSpan<Self>, _ gradient: Span<Self>,
        _ parameters: Span<Self>, _ site: Site)
    static func update(_ rule: any UpdateRule, _ block: UpdateBlock<Self>, _ time: RuleTime)
    static func initialise(
        _ term: any Perturbation, _ stored: inout MutableSpan<Self>, _ number: Int, _ parameters: Span<Self>)
}

extension Float: BlockScalar {
    static func sums(
        _ term: any Perturbation, _ gradient: Span<Float>, _ parameters: Span<Float>, _ site: Site
    ) -> SIMD4<Double> {
        term.sums(gradient: gradient, parameters: parameters, at: site)
    }

    static func add(
        _ term: any Perturbation, to delta: inout MutableSpan<Float>, _ gradient: Span<Float>,
        _ parameters: Span<Float>, _ site: Site
    ) {
        term.add(to: &delta, gradient: gradient, parameters: parameters, at: site)
    }

    static func update(_ rule: any UpdateRule, _ block: UpdateBlock<Float>, _ time: RuleTime) {
        rule.update(block, at: time)
    }

    static func initialise(
        _ term: any Perturbation, _ stored: inout MutableSpan<Float>, _ number: Int, _ parameters: Span<Float>
    ) {
        term.initialise(&stored, number: number, from: parameters)
    }
}

extension Double: BlockScalar {
    static func sums(
        _ term: any Perturbation, _ gradient: Span<Double>, _ parameters: Span<Double>, _ site: Site
    ) -> SIMD4<Double> {
        term.sums(gradient: gradient, parameters: parameters, at: site)
    }

    static func add(
        _ term: any Perturbation, to delta: inout MutableSpan<Double>, _ gradient: Span<Double>,
        _ parameters: Span<Double>, _ site: Site
    ) {
        term.add(to: &delta, gradient: gradient, parameters: parameters, at: site)
    }

    static func update(_ rule: any UpdateRule, _ block: UpdateBlock<Double>, _ time: RuleTime) {
        rule.update(block, at: time)
    }

    static func initialise(
        _ term: any Perturbation, _ stored: inout MutableSpan<Double>, _ number: Int,
        _ parameters: Span<Double>
    ) {
        term.initialise(&stored, number: number, from: parameters)
    }
}
