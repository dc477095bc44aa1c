import Statistics
import Training

/// U of a chain's draws, above what it was where the chain began.
///
/// It is looked at where draws have no R̂ that would say that they are worth nothing. Of a posterior with a log-concave density in d
/// weights, U of the draws is at most d above its least value on average, and so no more than that above where any chain began.
struct EnergyRise: Equatable {
    var chain: Int
    /// U at the chain's first step, and its mean over the draws.
    var first: Double
    var drawn: Double
    /// d.
    var weights: Int

    /// The chains whose draws are above where they began, or have no U.
    ///
    /// - Parameters:
    ///   - energies: U of every draw.
    ///   - first: U of each chain at its first step.
    static func found(in energies: Chains, above first: [Double], weights: Int) -> [EnergyRise] {
        zip(energies.draws, first).enumerated().compactMap { chain, values in
            let drawn = Sample.mean(values.0)
            // A first U that is no number is one that there is nothing to compare with.
            guard !drawn.isFinite || drawn > values.1 else { return nil }
            return EnergyRise(chain: chain, first: values.1, drawn: drawn, weights: weights)
        }
    }

    /// Whether it is so far above that no noise of minibatches and no width of a posterior explains it: more than d, and than the
    /// first U itself.
    var isExplosion: Bool { !drawn.isFinite || drawn - first > abs(first) + Double(weights) }

    /// - Parameter remedy: what may help, as "a smaller learningRate".
    func description(remedy: String) -> String {
        let numbers =
            drawn.isFinite
            ? "its energy U is \(short(drawn)) over its draws, and was \(short(first)) at its first step"
            : "its energy U over its draws is not finite, and was \(short(first)) at its first step"
        return isExplosion
            ? "chain \(chain) exploded: \(numbers), and no posterior is as wide as that; try \(remedy)"
            : "chain \(chain): \(numbers): it has not come nearer to the posterior; try \(remedy), or more steps"
    }
}
