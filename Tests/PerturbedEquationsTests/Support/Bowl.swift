import PerturbedEquations

/// L(θ) = Σ ½hᵢ(θᵢ − cᵢ)² over several tensors: an objective whose every step has a closed form.
final class Bowl<S: EquationScalar> {
    let tensors: Tensors<S>
    let optimizer: PerturbedOptimizer
    /// What was asked, in order, and the θ̃ it was asked at.
    private(set) var evaluations: [ObjectiveEvaluation] = []
    private(set) var places: [[[UInt64]]] = []
    /// Called before each evaluation.
    var before: (ObjectiveEvaluation) throws -> Void = { _ in }

    init(
        _ equation: PerturbedEquation, sizes: [Int] = [3, 70], shapes: [[Int]]? = nil, seed: UInt64 = 1,
        horizon: Int? = nil, threads: Int = 1
    ) throws {
        let shapes = shapes ?? sizes.map { [$0] }
        tensors = Tensors(sizes: shapes.map { $0.reduce(1, *) }) { t, i in S(Self.start(t, i)) }
        optimizer = try PerturbedOptimizer(
            parameters: shapes.enumerated().map { ParameterSpec("p\($0)", shape: $1, scalar: S.scalarType) },
            equation: equation, seed: seed, horizon: horizon,
            engine: Engine(parallel: .dispatch(threads: threads), serialBelow: 0))
    }

    static func start(_ tensor: Int, _ i: Int) -> Double { Double((i * 7 + tensor * 3) % 11) / 4 - 1 }
    static func curvature(_ tensor: Int, _ i: Int) -> Double { 0.25 + Double((i + tensor) % 5) / 4 }
    static func centre(_ tensor: Int, _ i: Int) -> Double { Double(i % 3) / 8 }

    static func gradient(_ tensor: Int, _ i: Int, _ theta: Double) -> Double {
        curvature(tensor, i) * (theta - centre(tensor, i))
    }

    /// L at the present θ̃, its gradient into the buffers if `gradients`.
    func loss(gradients: Bool) -> Double {
        var loss = 0.0
        for (t, theta) in tensors.all.enumerated() {
            for (i, x) in theta.enumerated() {
                let distance = Double(x) - Self.centre(t, i)
                loss += Self.curvature(t, i) * distance * distance / 2
            }
        }
        if gradients { tensors.setGradient { t, i, x in S(Self.gradient(t, i, Double(x))) } }
        return loss
    }

    @discardableResult
    func step(measure: Bool = false) throws -> StepReport {
        try optimizer.step(tensors.buffers, measure: measure) { evaluation in
            evaluations.append(evaluation)
            places.append(tensors.bits)
            try before(evaluation)
            return loss(gradients: evaluation.needsGradient)
        }
    }

    /// θ as float64, flat, and the same numbers of a closed form beside it.
    var flat: [Double] { tensors.all.joined().map(Double.init) }
}

/// The bowl's functions on a flat vector.
struct FlatBowl {
    let places: [(tensor: Int, i: Int)]
    var theta: [Double]

    init(sizes: [Int] = [3, 70]) {
        places = sizes.enumerated().flatMap { t, n in (0..<n).map { (t, $0) } }
        theta = places.map { Bowl<Double>.start($0.tensor, $0.i) }
    }

    var h: [Double] { places.map { Bowl<Double>.curvature($0.tensor, $0.i) } }

    func gradient(at theta: [Double]) -> [Double] {
        zip(places, theta).map { Bowl<Double>.gradient($0.tensor, $0.i, $1) }
    }
}

func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
func norm(_ a: [Double]) -> Double { dot(a, a).squareRoot() }
/// a + s·b
func sum(_ a: [Double], _ s: Double, _ b: [Double]) -> [Double] { zip(a, b).map { $0 + s * $1 } }
/// The largest difference of two vectors.
func distance(_ a: [Double], _ b: [Double]) -> Double {
    precondition(a.count == b.count)
    return zip(a, b).map { abs($0 - $1) }.max() ?? 0
}
