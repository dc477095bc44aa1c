import Foundation
import PerturbedEquations
import Training

/// A search for good settings, as a file says it: what `peo tune` reads.
///
/// ```yaml
/// config: digits-mlp.yaml            # or a configuration itself
/// search:                            # settings by key path, and their values
///   rule.adam.learningRate: {log: [1e-4, 1e-1]}
///   perturbation.0.gaussian.sigma: {linear: [0, 0.5]}
///   training.batchSize: {choice: [32, 64, 128]}
/// trials: 30
/// ```
///
/// The other keys, with their defaults: `method` (tpe; random, sobol), `halving` ({factor: 3, rungs: 3}), `metric` (accuracy, or
/// loss where tokens are predicted; always of held-out data), `fraction` (0.1: the share of the training data held out, where
/// the configuration says none), `seeds` (1 for each trial), `confirm` ({top: 3, seeds: 3}), `seed` (1: of the search itself),
/// `parallel` (as many runs at once as cores allow).
public struct SearchConfig: Sendable {
    /// One setting that is searched.
    struct Dimension: Sendable {
        var path: [String]
        var range: SearchRange

        var name: String { path.joined(separator: ".") }
    }

    /// The last round: the best trials are trained to their end with seeds of their own.
    public struct Confirming: Codable, Sendable, Equatable {
        /// How many trials, ≥ 1.
        public var top = 3
        /// Seeds of each, ≥ 1.
        public var seeds = 3

        init() {}

        private enum CodingKeys: String, CodingKey { case top, seeds }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            top = try container.decodeIfPresent(Int.self, forKey: .top) ?? top
            seeds = try container.decodeIfPresent(Int.self, forKey: .seeds) ?? seeds
            try container.require((1...100).contains(top), .top, "is \(top); allowed: 1 to 100")
            try container.require((1...1000).contains(seeds), .seeds, "is \(seeds); allowed: 1 to 1000")
        }
    }

    let base: ConfigNode
    let dimensions: [Dimension]
    public let method: SearchMethod
    public let trials: Int
    let halving: SuccessiveHalving
    public let metric: String?
    /// The share of the training data that trials are judged on, where the configuration has no validation.
    public let fraction: Double
    /// Seeds of each trial.
    public let seeds: Int
    public let confirming: Confirming
    /// Selects the trials.
    public let seed: UInt64
    public let parallel: Int?
    /// Everything that the search depends on, as text.
    let text: String

    /// Reads a search.
    /// - Throws: ``ConfigError``, `FileError`.
    public init(contentsOf url: URL) throws {
        let file = url.relativePath
        let study = try StudyFile<Settings>(contentsOf: url, config: \.config)
        let settings = study.settings
        base = study.base
        text = study.text
        dimensions = try Self.dimensions(settings.search.node, file: file)
        method = settings.method
        trials = settings.trials
        halving = settings.halving
        metric = settings.metric
        fraction = settings.fraction
        seeds = settings.seeds
        confirming = settings.confirming
        seed = settings.seed
        parallel = settings.parallel
    }

    /// Whether trials of the search with the text `stored` are this one's: whether no more differs than comments and how many
    /// run at once.
    func goesOn(from stored: String) -> Bool {
        guard let before = StudyFile<Settings>.split(stored), let now = StudyFile<Settings>.split(text) else {
            return false
        }
        return before.base == now.base
            && before.root.without(["parallel"]).yaml() == now.root.without(["parallel"]).yaml()
    }

    private static func dimensions(_ node: ConfigNode, file: String) throws -> [Dimension] {
        guard case .mapping(let entries) = node.content,
            (1...SobolSequence.mostDimensions).contains(entries.count)
        else {
            throw ConfigError(
                .badValue,
                "needs 1 to \(SobolSequence.mostDimensions) settings by key path, each with its values, as in "
                    + "{rule.adam.learningRate: {log: [1e-4, 1e-1]}}; found \(node.inWords)",
                keyPath: "search", origin: node.origin, file: file)
        }
        var paths: Set<[String]> = []
        return try entries.map { entry in
            let path = entry.key.split(separator: ".").map(String.init)
            guard paths.insert(path).inserted else {
                throw ConfigError(
                    .badValue,
                    "gives '\(path.joined(separator: "."))' values a second time; allowed: once for each setting",
                    keyPath: "search.\(entry.key)", origin: entry.keyOrigin, file: file)
            }
            do {
                return Dimension(
                    path: path,
                    range: try ConfigDecoder.decode(SearchRange.self, from: entry.value, file: file))
            } catch var fault as ConfigError {
                fault.keyPath = "search.\(entry.key)" + (fault.keyPath.isEmpty ? "" : ".\(fault.keyPath)")
                throw fault
            }
        }
    }

    /// The keys of the file.
    private struct Settings: Decodable {
        var config: RawNode
        var search: RawNode
        var method: SearchMethod
        var trials: Int
        var halving: SuccessiveHalving
        var metric: String?
        var fraction: Double
        var seeds: Int
        var confirming: Confirming
        var seed: UInt64
        var parallel: Int?

        private enum CodingKeys: String, CodingKey {
            case config, search, method, trials, halving, metric, fraction, seeds, confirm, seed, parallel
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            config = try container.decode(RawNode.self, forKey: .config)
            search = try container.decode(RawNode.self, forKey: .search)
            method = try container.decodeIfPresent(SearchMethod.self, forKey: .method) ?? .tpe
            trials = try container.decodeIfPresent(Int.self, forKey: .trials) ?? 30
            halving =
                try container.decodeIfPresent(SuccessiveHalving.self, forKey: .halving) ?? SuccessiveHalving()
            metric = try container.decodeIfPresent(String.self, forKey: .metric)
            fraction = try container.decodeIfPresent(Double.self, forKey: .fraction) ?? 0.1
            seeds = try container.decodeIfPresent(Int.self, forKey: .seeds) ?? 1
            confirming = try container.decodeIfPresent(Confirming.self, forKey: .confirm) ?? Confirming()
            seed = try container.decodeIfPresent(UInt64.self, forKey: .seed) ?? 1
            parallel = try container.decodeIfPresent(Int.self, forKey: .parallel)
            try container.require(
                (1...100_000).contains(trials), .trials, "is \(trials); allowed: 1 to 100000")
            try container.require((1...1000).contains(seeds), .seeds, "is \(seeds); allowed: 1 to 1000")
            try container.require(
                fraction > 0 && fraction < 1, .fraction, "is \(fraction); allowed: more than 0, less than 1")
            try container.require(
                (1...1024).contains(parallel ?? 1), .parallel, "is \(parallel ?? 0); allowed: 1 to 1024")
        }
    }
}
