import Foundation
import PerturbedEquations
import Safetensors
import Training

/// Arms that are compared over seeds, as a file says it: what `peo compare` reads.
///
/// ```yaml
/// config: digits-mlp.yaml            # or a configuration itself
/// arms:                              # changes of it, by key path
///   none: {perturbation: []}
///   gaussian: {perturbation: [{gaussian: {sigma: 0.01}}]}
///   sam:
///     parameterPerturbation: {sam: {rho: 0.05}}
///     choose: {parameterPerturbation.sam.rho: [0.02, 0.05, 0.1]}
/// seeds: 8
/// ```
///
/// The other keys, with their defaults: `baseline` (the first arm), `metric` (accuracy, or loss where tokens are predicted),
/// `compute` (equal), `level` (0.05), `choose` ({seeds: 2, fraction: 0.1}), `parallel` (as many cells as cores allow).
public struct ComparisonConfig: Sendable {
    /// One thing that is compared: the configuration with changes.
    struct Arm: Sendable {
        var name: String
        var overrides: [ConfigOverride]
        /// Values to choose from on held-out data, by key path.
        var choices: [(path: [String], values: [ConfigNode])]
    }

    /// What is the same for all arms.
    public enum Compute: String, Codable, Sendable, CaseIterable {
        /// Gradient evaluations: an arm whose step takes half as many as another's is trained twice as long.
        case equal
        /// Steps.
        case steps
    }

    /// How arms choose their hyperparameters.
    public struct Choosing: Codable, Sendable, Equatable {
        /// Seeds of each candidate, which are not those of the comparison.
        public var seeds = 2
        /// The share of the training data that candidates are judged on, where the configuration has no validation.
        public var fraction = 0.1

        init() {}

        private enum CodingKeys: String, CodingKey { case seeds, fraction }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            seeds = try container.decodeIfPresent(Int.self, forKey: .seeds) ?? seeds
            fraction = try container.decodeIfPresent(Double.self, forKey: .fraction) ?? fraction
            try container.require((1...1000).contains(seeds), .seeds, "is \(seeds); allowed: 1 to 1000")
            try container.require(
                fraction > 0 && fraction < 1, .fraction, "is \(fraction); allowed: more than 0, less than 1")
        }
    }

    let base: ConfigNode
    let arms: [Arm]
    /// The arm that the others are compared with.
    public let baseline: String
    public let seeds: [UInt64]
    public let metric: String?
    public let compute: Compute
    /// α: the probability that any arm is called better or worse where none is.
    public let level: Double
    public let choosing: Choosing
    /// Cells that run at once; nil: as many as the cores allow.
    public let parallel: Int?
    /// Everything that the comparison depends on, as text.
    let text: String

    /// Reads a comparison.
    /// - Throws: ``ConfigError``, `FileError`.
    public init(contentsOf url: URL) throws {
        let file = url.relativePath
        let study = try StudyFile<Settings>(contentsOf: url, config: \.config)
        let settings = study.settings
        base = study.base
        text = study.text
        arms = try Self.arms(settings.arms.node, file: file)
        let names = arms.map(\.name)
        baseline = settings.baseline ?? names[0]
        guard names.contains(baseline) else {
            let hint = nearestName(to: baseline, among: names).map { "; did you mean '\($0)'?" } ?? ""
            throw ConfigError(
                .badValue, "there is no arm '\(baseline)'\(hint) (arms: \(names.joined(separator: ", ")))",
                keyPath: "baseline", origin: study.root.origin(at: ["baseline"]), file: file)
        }
        seeds = settings.seeds
        metric = settings.metric
        compute = settings.compute
        level = settings.level
        choosing = settings.choosing
        parallel = settings.parallel
    }

    /// Whether cells of the study with the text `stored` serve this one: whether no more differs than what it is read by
    /// (`metric`, `level`), how many cells run at once, and further seeds.
    ///
    /// - Parameter hasFinalCells: whether arms that choose have chosen, by the metric that stands there.
    func goesOn(from stored: String, hasFinalCells: Bool) -> Bool {
        if stored == text { return true }
        guard let before = StudyFile<Settings>.split(stored), let now = StudyFile<Settings>.split(text),
            before.base == now.base,
            let old = try? ConfigDecoder.decode(Settings.self, from: before.root),
            Set(old.seeds).isSubset(of: seeds)
        else { return false }
        let isChosen = hasFinalCells && arms.contains { !$0.choices.isEmpty }
        guard !isChosen || old.metric == metric else { return false }
        let free: Set = ["metric", "level", "parallel", "seeds"]
        return before.root.without(free).yaml() == now.root.without(free).yaml()
    }

    private static func arms(_ node: ConfigNode, file: String) throws -> [Arm] {
        func refuse(_ problem: String, _ path: [String], _ origin: ConfigNode.Origin) -> ConfigError {
            ConfigError(
                .badValue, problem, keyPath: (["arms"] + path).joined(separator: "."), origin: origin,
                file: file)
        }
        guard case .mapping(let entries) = node.content, entries.count > 1 else {
            throw refuse(
                "needs two arms at least, each with a name: {none: {…}, gaussian: {…}}", [], node.origin)
        }
        return try entries.map { entry in
            guard entry.key.wholeMatch(of: /[A-Za-z0-9_][A-Za-z0-9_.+=-]{0,63}/) != nil else {
                throw refuse(
                    "'\(entry.key.shortened)' names an arm; allowed: up to 64 letters, digits and _ . + = -",
                    [],
                    entry.keyOrigin)
            }
            var arm = Arm(name: entry.key, overrides: [], choices: [])
            if case .scalar(let scalar) = entry.value.content, scalar.isNull { return arm }
            guard case .mapping(let changes) = entry.value.content else {
                throw refuse(
                    "expected changes by key path, found \(entry.value.inWords)", [entry.key], entry.keyOrigin
                )
            }
            for change in changes {
                guard change.key == "choose" else {
                    arm.overrides.append(ConfigOverride(path: change.key, value: change.value))
                    continue
                }
                guard case .mapping(let choices) = change.value.content else {
                    throw refuse("expected key paths with lists", [entry.key, "choose"], change.keyOrigin)
                }
                for choice in choices {
                    guard case .list(let values) = choice.value.content, !values.isEmpty else {
                        throw refuse(
                            "expected a list of values to choose from, found \(choice.value.inWords)",
                            [entry.key, "choose", choice.key], choice.keyOrigin)
                    }
                    let path = choice.key.split(separator: ".").map(String.init)
                    guard !arm.choices.contains(where: { $0.path == path }) else {
                        throw refuse(
                            "gives '\(path.joined(separator: "."))' values a second time; allowed: one list for each setting",
                            [entry.key, "choose", choice.key], choice.keyOrigin)
                    }
                    arm.choices.append((path, values))
                }
            }
            return arm
        }
    }

    /// The keys of the file.
    private struct Settings: Decodable {
        var config: RawNode
        var arms: RawNode
        var baseline: String?
        var seeds: [UInt64]
        var metric: String?
        var compute: Compute
        var level: Double
        var choosing: Choosing
        var parallel: Int?

        private enum CodingKeys: String, CodingKey {
            case config, arms, baseline, seeds, metric, compute, level, choose, parallel
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            config = try container.decode(RawNode.self, forKey: .config)
            arms = try container.decode(RawNode.self, forKey: .arms)
            baseline = try container.decodeIfPresent(String.self, forKey: .baseline)
            if let count = try? container.decodeIfPresent(Int.self, forKey: .seeds) {
                try container.require(
                    (2...10_000).contains(count), .seeds, "is \(count); allowed: 2 to 10000")
                seeds = (1...UInt64(count)).map { $0 }
            } else {
                seeds = try container.decodeIfPresent([UInt64].self, forKey: .seeds) ?? (1...8).map { $0 }
                try container.require(
                    seeds.count > 1 && Set(seeds).count == seeds.count, .seeds,
                    "needs two different seeds at least")
            }
            metric = try container.decodeIfPresent(String.self, forKey: .metric)
            compute = try container.decodeIfPresent(Compute.self, forKey: .compute) ?? .equal
            level = try container.decodeIfPresent(Double.self, forKey: .level) ?? 0.05
            try container.require(
                level > 0 && level < 0.5, .level, "is \(level); allowed: more than 0, less than 0.5")
            choosing = try container.decodeIfPresent(Choosing.self, forKey: .choose) ?? Choosing()
            parallel = try container.decodeIfPresent(Int.self, forKey: .parallel)
            try container.require(
                (1...1024).contains(parallel ?? 1), .parallel, "is \(parallel ?? 0); allowed: 1 to 1024")
        }
    }
}
