import Training

/// The state of an agent's run that the bar shows.
struct AgentSnapshot: ShownProgress {
    var step: Int
    var totalSteps: Int
    /// Of the last 100 episodes.
    var meanReturn: Double?
    var meanLength: Double?
    var approximateKL: Double?
    var sigma: Double?

    var head: String? { nil }

    var fields: [String] {
        var fields = [meanReturn.map { "return \(short($0))" } ?? "no episode yet"]
        if let meanLength { fields.append("length \(short(meanLength))") }
        if let approximateKL { fields.append("KL \(short(approximateKL))") }
        if let sigma { fields.append("σ \(short(sigma))") }
        return fields
    }
}
