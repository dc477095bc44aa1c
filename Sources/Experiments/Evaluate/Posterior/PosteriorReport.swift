import BayesianLearning

/// What the predictive distribution of a posterior, or of an ensemble that stands for one, is worth and how sure it is.
public struct PosteriorReport: Codable, Sendable, Equatable {
    /// What the members are.
    public enum Kind: String, Codable, Sendable {
        /// Draws of a sampling run.
        case draws
        /// The weights of several runs.
        case ensemble
        /// Masks of dropout on one run's weights.
        case dropout
        /// One run's weights: a point estimate.
        case weights
    }

    /// What the likelihood's deviation of numbers is from.
    public enum DeviationSource: String, Codable, Sendable {
        /// The sampling run's own.
        case likelihood
        /// The root mean squared error of the members' mean on that part.
        case validation, train
    }

    public var kind: Kind
    /// How many members were measured.
    public var members: Int
    /// Of draws: how many there are in all, in how many chains.
    public var draws: Int?
    public var chains: Int?
    /// Of an ensemble: its runs.
    public var runs: [String]?
    /// Of classes.
    public var classes: ClassPosterior?
    public var temperature: TemperatureScaling?
    public var outOfDistribution: OutOfDistribution?
    /// Of numbers.
    public var numbers: NumberPosterior?
    /// σ of the likelihood, standardised, and what it is from.
    public var deviation: Double?
    public var deviationSource: DeviationSource?

    init(_ kind: Kind, members: Int) {
        self.kind = kind
        self.members = members
    }
}
