import Training

/// The state of a sampling run that the bar shows.
struct SamplingSnapshot: ShownProgress {
    /// Of each chain.
    var step: Int
    var totalSteps: Int
    var chains: Int
    /// Draws of each chain.
    var draws: Int
    var energy: Double
    var learningRate: Double
    /// Nil where the rule does not sample.
    var temperature: Double?
    /// The worst of the functions, and its name; nil while there are too few draws.
    var splitRHat: (name: String, value: Double)?

    var head: String? { "\(chains) chains" }

    var fields: [String] {
        var fields = [draws == 0 ? (temperature == nil ? "no draws yet" : "burn-in") : "\(draws) draws each"]
        if let splitRHat { fields.append("R̂ \(short(splitRHat.value)) (\(splitRHat.name))") }
        fields.append("U \(short(energy))")
        fields.append("η \(short(learningRate))")
        if let temperature { fields.append("T \(short(temperature))") }
        return fields
    }
}
