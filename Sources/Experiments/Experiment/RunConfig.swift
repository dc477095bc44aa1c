import Foundation
import PerturbedEquations
import Safetensors
import Training

/// What a run is made from: a model that is trained (``ExperimentConfig``), an agent (``AgentConfig``), or a posterior that is
/// sampled (``SamplingConfig``).
public protocol RunConfig: Codable, Sendable {
    /// The run's directory; nil: `runs/<name of the file>`.
    var output: String? { get set }
    var equation: PerturbedEquation { get }
    /// Threads of the computation; nil: one for each core.
    var threads: Int? { get }
    /// The configuration with everything filled in that depends on the machine.
    func resolved(threads: Int) -> Self

    /// The settings of the run's length, `training.<name>`, and their values: what may grow when a run goes on.
    var lengths: [(name: String, value: Int?)] { get }
    /// Makes the training longer by a factor; schedules stretch with it.
    mutating func lengthen(by factor: Double)
    /// Holds a share of the training data out, where there are data and none is held out yet.
    mutating func holdOut(fraction: Double)
    /// What the names of metrics begin with that candidates are chosen by.
    static var choosingPrefix: String { get }
    /// The names of all metrics that a run of this kind may have; its data or environment leave some out.
    static var metricNames: Set<String> { get }
}

extension RunConfig {
    /// Reads a configuration file and applies `--set` arguments to it.
    ///
    /// - Throws: ``ConfigError`` with the key, the value, what is allowed and the line; `FileError` for a file
    ///   that is missing or cannot be read.
    public init(contentsOf url: URL, overrides: [ConfigOverride] = []) throws {
        try self.init(
            yaml: try BaseConfiguration.text(of: url), file: url.relativePath, overrides: overrides)
    }

    /// Reads a configuration from text.
    public init(yaml: String, file: String? = nil, overrides: [ConfigOverride] = []) throws {
        var node = try ConfigNode(yaml: yaml, file: file)
        for override in overrides { try node.apply(override) }
        self = try ConfigDecoder.decode(Self.self, from: node, file: file)
    }

    /// The configuration as YAML, every default written out; it reads back to the same value.
    public func yaml() throws -> String { try ConfigEncoder.encode(self).yaml() }

    /// The configuration of a run with a greater length, in the unit that it has.
    ///
    /// The run goes on as if it had been that long from the start, except that schedules whose length is the run's now follow
    /// the new length from where they are: what they were before is not undone.
    ///
    /// - Throws: ``ConfigError`` for anything else.
    func extended(by overrides: [ConfigOverride], run: RunDirectory) throws -> Self {
        let keys = lengths.map { "training.\($0.name)" }
        if keys.isEmpty, let first = overrides.first {
            throw ConfigError(
                .badOverride,
                "'\(first.path.joined(separator: "."))' cannot change when a run goes on; a sampling run keeps all its settings",
                origin: .override(first.path.joined(separator: ".")))
        }
        for override in overrides where !keys.contains(override.path.joined(separator: ".")) {
            throw ConfigError(
                .badOverride,
                "'\(override.path.joined(separator: "."))' cannot change when a run goes on; allowed with --resume: "
                    + keys.joined(separator: ", "), origin: .override(override.path.joined(separator: ".")))
        }
        let longer = try Self(contentsOf: run.config, overrides: overrides)
        for (old, new) in zip(lengths, longer.lengths) {
            guard let before = old.value, let after = new.value, after < before else { continue }
            throw ConfigError(
                .badOverride, "is \(after); allowed with --resume: \(before), the run's own, or more",
                origin: .override("training.\(old.name)"))
        }
        return longer
    }

    /// A run goes on with its own settings; others would make it a mixture of two.
    func refuseOtherThan(_ given: any RunConfig, run: URL) throws {
        var given = given.resolved(threads: threads ?? 1)
        given.output = output
        let own = try yaml().split(separator: "\n")
        let other = try given.yaml().split(separator: "\n")
        guard own != other else { return }
        let difference = zip(own, other).first { $0 != $1 } ?? (own.last ?? "", other.last ?? "")
        throw ConfigError(
            .badValue,
            "the run has '\(difference.0.trimming)', and this configuration has '\(difference.1.trimming)'; resume a run "
                + "with its own settings (leave the configuration and --set out), or start a new run",
            file: run.appendingPathComponent("config.yaml").path)
    }
}

extension Substring {
    fileprivate var trimming: String { trimmingCharacters(in: .whitespaces) }
}

/// Configurations of both kinds.
public enum RunConfigs {
    /// Reads a configuration of a model or, where it has an `environment`, of an agent.
    /// - Throws: as `RunConfig.init(contentsOf:overrides:)`.
    public static func read(_ url: URL, overrides: [ConfigOverride] = []) throws -> any RunConfig {
        let file = url.relativePath
        var node = try ConfigNode(yaml: try BaseConfiguration.text(of: url), file: file)
        for override in overrides { try node.apply(override) }
        return try decode(node, file: file)
    }

    /// Decodes a configuration of a model, for what agents do not have.
    /// - Parameter purpose: what it is for: `peo tune`.
    /// - Throws: ``ConfigError``.
    static func decodeModel(
        _ node: ConfigNode, for purpose: String, file: String? = nil
    ) throws -> ExperimentConfig {
        if node["environment"] != nil || node["agent"] != nil {
            throw ConfigError(
                .badValue,
                "\(purpose) is for models, and this is the configuration of an agent; allowed: one with model and data",
                file: file)
        }
        try refuseSampling(node, for: purpose, file: file)
        return try ConfigDecoder.decode(ExperimentConfig.self, from: node, file: file)
    }

    /// Refuses the configuration of a posterior, for what trains.
    /// - Parameter purpose: what it is for: `peo compare`.
    /// - Throws: ``ConfigError``.
    static func refuseSampling(_ node: ConfigNode, for purpose: String, file: String? = nil) throws {
        guard node["sampling"] != nil else { return }
        throw ConfigError(
            .badValue,
            "\(purpose) is for what is trained, and this configuration has 'sampling', which peo sample reads; allowed: one "
                + "with training", keyPath: "sampling", origin: node.origin(at: ["sampling"]), file: file)
    }

    /// Decodes a configuration of any kind.
    /// - Throws: ``ConfigError``.
    static func decode(_ node: ConfigNode, file: String? = nil) throws -> any RunConfig {
        if node["sampling"] != nil {
            for key in ["environment", "agent", "training", "groups"] where node[key] != nil {
                throw ConfigError(
                    .badValue,
                    "a posterior is sampled from model, data, prior and sampling, and this configuration has '\(key)' beside "
                        + "'sampling'; allowed: without it", keyPath: key, origin: node.origin(at: [key]),
                    file: file)
            }
            return try ConfigDecoder.decode(SamplingConfig.self, from: node, file: file)
        }
        guard node["environment"] != nil || node["agent"] != nil else {
            return try ConfigDecoder.decode(ExperimentConfig.self, from: node, file: file)
        }
        for key in ["model", "data"] where node[key] != nil {
            throw ConfigError(
                .badValue,
                "an agent learns in an environment and a model from data, and this configuration has '\(key)' beside "
                    + "'\(node["environment"] != nil ? "environment" : "agent")'; allowed: environment and agent, or model "
                    + "and data", keyPath: key, origin: node.origin(at: [key]), file: file)
        }
        return try ConfigDecoder.decode(AgentConfig.self, from: node, file: file)
    }
}
