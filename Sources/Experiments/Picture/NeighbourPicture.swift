import PerturbedEquations

/// Where a perturbation of the parameters has the loss evaluated: along a descent, and around a θ that stands still.
enum NeighbourPicture {
    private static let dots = 500
    /// The θ that stands still.
    private static let place = SIMD2(-1.0, 0.7)

    static func svg(of named: CataloguePicture.Named, seed: UInt64) throws -> String {
        let perturbation = try ConfigDecoder.decode(NamedParameterPerturbation.self, from: named.node)
            .perturbation
        let equation = PerturbedEquation(rule: SGD(learningRate: 0.1), parameterPerturbation: perturbation)
        let descent = try WatchedQuadratic(equation, steps: 25, batchNoise: 0.5, seed: seed)
        var along = WatchedQuadratic.plot("25 steps, and where L is evaluated")
        along.dots(elsewhere(descent.places.prefix(dots), than: descent.path), .blue)
        along.line(descent.path, .orange)
        let still = try WatchedQuadratic(
            equation, steps: 200, batchNoise: 1.5, from: place, staysPut: true, seed: seed)
        var around = WatchedQuadratic.plot("one θ, 200 noisy batches")
        around.dots(elsewhere(still.places.prefix(dots), than: [place]), .blue)
        around.dots([place], .orange, size: 5)
        return PlotPage(
            boxes: [along, around],
            caption:
                "\(named.name): \(named.entry.equation); here L = ½(θ₁² + 6θ₂²), by SGD, with noise of the batch"
        ).svg()
    }

    private static func elsewhere(
        _ places: ArraySlice<SIMD2<Double>>, than path: [SIMD2<Double>]
    ) -> [SIMD2<Double>] {
        let own = Set(path)
        return places.filter { !own.contains($0) }
    }
}
