/// The state of a run that the bar shows.
public protocol ShownProgress {
    var step: Int { get }
    var totalSteps: Int { get }
    /// What stands before the bar: `epoch 3/20`.
    var head: String? { get }
    /// The values, each with its name and in few characters, the most needed first.
    var fields: [String] { get }
}

/// The state of a model's training that the bar shows.
public struct TrainingSnapshot: ShownProgress {
    public var step: Int
    public var totalSteps: Int
    /// The running epoch, from 0.
    public var epoch: Int
    public var epochs: Int
    public var loss: Double
    /// Share of the batch that was classified rightly.
    public var accuracy: Double?
    public var learningRate: Double
    public var sigma: Double?
    /// ‖δ‖/‖g‖.
    public var perturbationRatio: Double?

    public var head: String? { "epoch \(epoch + 1)/\(epochs)" }

    public var fields: [String] {
        var fields = ["loss \(short(loss))"]
        if let accuracy { fields.append("accuracy \(percent(accuracy))") }
        if let sigma { fields.append("σ \(short(sigma))") }
        if let perturbationRatio { fields.append("‖δ‖/‖g‖ \(short(perturbationRatio))") }
        fields.append("η \(short(learningRate))")
        return fields
    }
}
