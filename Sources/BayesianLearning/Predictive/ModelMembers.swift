import TorchNN

/// The weights of several runs of one model as members: a deep ensemble. One run alone gives the predictions of its one set of
/// weights.
///
/// Source: Lakshminarayanan, Pritzel and Blundell 2017, Simple and Scalable Predictive Uncertainty Estimation using Deep Ensembles.
public struct ModelMembers: PredictiveMembers {
    private let installers: [(any Module) throws -> Void]

    /// - Parameter installers: each puts one run's weights into the model.
    /// - Precondition: there is one.
    public init(_ installers: [(any Module) throws -> Void]) {
        precondition(!installers.isEmpty, "an ensemble without a member")
        self.installers = installers
    }

    /// The model as it is.
    public init() { self.init([{ _ in }]) }

    public var count: Int { installers.count }

    public func install(_ member: Int, in model: any Module) throws -> ForwardContext {
        try installers[member](model)
        return .evaluation
    }
}
