/// θ̃ ← θ̃ + scale·g
struct AddGradient: BlockWork {
    let scale: Double

    func run<S: EquationScalar>(_ block: ObjectiveBlock<S>) -> SIMD4<Double> {
        if let gradient = block.gradient { block.add(scale, gradient, to: block.parameters) }
        return .zero
    }
}

/// temporary ← g, 0 where a parameter has none.
struct CopyGradient: BlockWork {
    let temporary: Int

    func run<S: EquationScalar>(_ block: ObjectiveBlock<S>) -> SIMD4<Double> {
        if let gradient = block.gradient {
            _ = block.temporaries[temporary].update(fromContentsOf: gradient)
        } else {
            block.temporaries[temporary].update(repeating: 0)
        }
        return .zero
    }
}

/// temporary ← keep·temporary + scale·g
struct MixGradient: BlockWork {
    let temporary: Int
    let keep: Double
    let scale: Double

    func run<S: EquationScalar>(_ block: ObjectiveBlock<S>) -> SIMD4<Double> {
        guard let gradient = block.gradient else { return .zero }
        let mixed = block.temporaries[temporary]
        let keep = S(keep)
        let scale = S(scale)
        for i in 0..<block.count { mixed[i] = (keep * mixed[i]).addingProduct(scale, gradient[i]) }
        return .zero
    }
}

/// ⟨temporary, g⟩ and ‖g‖², over the parameters that have a gradient.
struct Alignment: BlockWork {
    let temporary: Int

    func run<S: EquationScalar>(_ block: ObjectiveBlock<S>) -> SIMD4<Double> {
        guard let gradient = block.gradient else { return .zero }
        let first = UnsafeBufferPointer(block.temporaries[temporary])
        return [block.dot(first, gradient), block.dot(gradient, gradient), 0, 0]
    }
}
