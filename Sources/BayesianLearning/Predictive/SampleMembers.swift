import PosteriorSampling
import TorchNN

/// The draws of a sampling run, of all chains, as members of an ensemble.
///
/// ```swift
/// let members = SampleMembers(try Samples(contentsOf: run.samples), atMost: 100)
/// let found = try ClassPosterior.measure(members, model, on: data.test, of: data.kind)
/// ```
public struct SampleMembers: PredictiveMembers {
    public let samples: Samples
    /// The members among the draws, which are counted chain after chain.
    let chosen: [Int]

    /// - Parameter atMost: how many draws, ≥ 1; of more, so many are taken at even distances, of each chain in proportion. All
    ///   unless told.
    /// - Precondition: `atMost` is 1 or more.
    public init(_ samples: Samples, atMost: Int? = nil) {
        precondition(atMost ?? 1 >= 1, "an ensemble of \(atMost ?? 1) members")
        self.samples = samples
        let total = samples.chains * samples.draws
        let count = min(atMost ?? total, total)
        // The middles of equal stretches: floor((i + ½)·total/count).
        chosen = (0..<count).map { (2 * $0 + 1) * total / (2 * count) }
    }

    public var count: Int { chosen.count }

    /// - Throws: `StateDictionaryError` for draws of another model; `SafetensorsError`.
    public func install(_ member: Int, in model: any Module) throws -> ForwardContext {
        let (chain, draw) = chosen[member].quotientAndRemainder(dividingBy: samples.draws)
        try model.loadState(from: samples.draw(draw, of: chain))
        return .evaluation
    }
}
