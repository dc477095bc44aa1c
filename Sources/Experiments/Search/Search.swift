import Foundation
import PerturbedEquations
import Safetensors
import Statistics
import Training

/// Looks for good values of a configuration's settings: what `peo tune` does.
///
/// Trials are judged on held-out data, or an agent's by its returns, by successive halving; the best are trained again with
/// other seeds, beside the configuration as it is, and the best of those is written to a file that runs. The test data are not
/// looked at.
///
/// With one run at a time a search takes the same decisions each time. With more, what has ended when a decision is due depends
/// on the machine; decisions are kept, so that a search that was killed goes on with its own.
public struct Search {
    private let config: SearchConfig
    private let file: String
    private let sampler: any PointSampler
    /// Where everything is kept.
    public let directory: URL

    /// Seeds of trials, and of their confirmation: none that a comparison uses by default.
    private static let (trialSeeds, confirmingSeeds): (UInt64, UInt64) = (2_000_000, 3_000_000)

    /// Reads and checks everything; nothing is run or written.
    ///
    /// - Parameters:
    ///   - url: the search's file.
    ///   - output: the directory; `searches/<name of the file>` unless told.
    /// - Throws: ``ConfigError``, `FileError`.
    public init(contentsOf url: URL, output: String? = nil) throws {
        config = try SearchConfig(contentsOf: url)
        file = url.relativePath
        sampler = config.method.sampler(
            of: config.dimensions.map(\.range), key: NoiseKey(seed: config.seed).derived("search"))
        let name = url.deletingPathExtension().lastPathComponent
        directory = URL(fileURLWithPath: output ?? "searches/\(name)")
        try requireUsableRanges()
        try requireMetric()
    }

    /// Refuses a metric that no run of the configuration's kind can have; what its data leave out, the first trial shows.
    private func requireMetric() throws {
        let kind = type(of: try middle())
        _ = try CellMetric.named(
            config.metric, among: Self.names(kind.metricNames, without: kind.choosingPrefix), file: file)
    }

    /// The names behind `prefix`, of those that begin with it.
    private static func names(_ all: some Sequence<String>, without prefix: String) -> Set<String> {
        Set(all.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) })
    }

    /// Refuses settings that cannot take the values of their ranges: the ends and the middle of each, or every choice, with
    /// the others in the middle.
    private func requireUsableRanges() throws {
        for (number, dimension) in config.dimensions.enumerated() {
            let places =
                dimension.range.choices.map { count in
                    (0..<count).map { (Double($0) + 0.5) / Double(count) }
                } ?? [0, 0.5, 1]
            for place in places {
                var point = Array(repeating: 0.5, count: config.dimensions.count)
                point[number] = place
                let trial = SearchTrial(0, at: point, of: config.dimensions)
                do {
                    _ = try experiment(trial.node(config.base))
                } catch let fault as ConfigError {
                    let value = dimension.range.value(at: place).inline
                    throw ConfigError(
                        fault.code,
                        "with \(value): " + (fault.keyPath.isEmpty ? "" : "\(fault.keyPath): ")
                            + fault.problem,
                        keyPath: "search.\(dimension.name)", file: file)
                }
            }
        }
    }

    /// Runs what is left of the search and writes `search.json`, `best.yaml` and `compare.yaml`.
    ///
    /// - Parameters:
    ///   - program: the `peo` that trains.
    ///   - told: each outcome as it comes: a line for people.
    /// - Throws: `TrainingStopped` when interrupted: the same call goes on; `FileError`; ``ConfigError`` where the directory
    ///   holds another search, or where no trial could be trained.
    public func run(program: URL, told: @escaping (String) -> Void) throws -> SearchReport {
        let study = try StudyDirectory(
            directory, kind: .search, text: config.text, file: file, goesOn: config.goesOn)
        defer { withExtendedLifetime(study) {} }
        let pool = CellPool(
            program: program, parallel: CellPool.parallel([try middle()], config.parallel))
        let (state, metric) = try explore(pool, told)
        if state.trials.count < config.trials {
            told(
                "after \(state.trials.count) of \(config.trials) trials no combination of the settings was left that had "
                    + "not been tried")
        }
        guard let metric, let best = state.ranking.first, best.loss.isFinite else {
            let why = state.outcomes.sorted { $0.key < $1.key }.flatMap(\.value).filter { $0.message != nil }
                .map(\.reason).first
            throw ConfigError(
                .badValue,
                "none of the \(state.trials.count) trials could be trained (\(why ?? "no reason given"))",
                keyPath: "search", file: file)
        }
        let finalists = try confirm(state, pool, metric, told)
        let report = SearchReport(
            name: directory.lastPathComponent, config, state, metric: metric, finalists: finalists)
        try write(report, state, from: file)
        return report
    }

    /// A configuration to be judged: a model on held-out data, an agent by its episodes.
    private func experiment(_ node: ConfigNode) throws -> any RunConfig {
        try RunConfigs.refuseSampling(node, for: "peo tune", file: file)
        var experiment = try RunConfigs.decode(node)
        experiment.holdOut(fraction: config.fraction)
        return experiment
    }

    /// The configuration with every setting in the middle of its range.
    private func middle() throws -> any RunConfig {
        let point = Array(repeating: 0.5, count: config.dimensions.count)
        return try experiment(SearchTrial(0, at: point, of: config.dimensions).node(config.base))
    }

    // MARK: The trials

    private typealias Job = (trial: Int, rung: Int)

    /// Runs the trials.
    private func explore(
        _ pool: CellPool, _ told: @escaping (String) -> Void
    ) throws -> (SearchState, CellMetric?) {
        let prefix = type(of: try middle()).choosingPrefix
        let journal = try SearchJournal(directory.appendingPathComponent("decisions.jsonl"))
        var state = SearchState(config)
        var metric: CellMetric?
        var waiting: [Cell] = []
        var jobs: [String: Job] = [:]
        var ended: [String: [CellOutcome?]] = [:]

        func key(_ job: Job) -> String { "\(job.trial)/\(job.rung)" }
        func begin(_ decision: SearchJournal.Decision) throws {
            state.note(decision)
            let job = Job(decision.trial, decision.rung)
            ended[key(job)] = Array(repeating: nil, count: config.seeds)
            for cell in try cells(of: state.trials[job.trial], rung: job.rung) {
                jobs[cell.outcome.path] = job
                if let outcome = try CellPool.outcome(of: cell) {
                    try end(cell, outcome)
                } else {
                    waiting.append(cell)
                }
            }
        }
        func end(_ cell: Cell, _ outcome: CellOutcome) throws {
            let job = jobs[cell.outcome.path]!
            ended[key(job)]![Int(cell.seed - Self.trialSeeds) - 1] = outcome
            if metric == nil, !outcome.metrics.isEmpty {
                metric = try .named(
                    config.metric, among: Self.names(outcome.metrics.keys, without: prefix), file: file)
                metric?.prefix = prefix
            }
            let outcomes = ended[key(job)]!.compactMap { $0 }
            guard outcomes.count == config.seeds else { return }
            state.note(outcomes, of: job.trial, rung: job.rung, metric: metric ?? CellMetric(name: "loss"))
        }

        for decision in journal.decisions { try begin(decision) }
        try pool.work {
            while waiting.isEmpty {
                guard let decision = state.decide(sampler) else { return nil }
                try journal.append(decision)
                try begin(decision)
            }
            return waiting.removeFirst()
        } ended: { cell, outcome in
            try end(cell, outcome)
            let job = jobs[cell.outcome.path]!
            let share = config.halving.share(ofRung: job.rung)
            told(
                "\(cell.title), \(String(format: "%.0f%%", share * 100)) trained: "
                    + outcome.words(prefix: prefix) + " with \(state.trials[job.trial].shortWords)")
        }
        return (state, metric)
    }

    private func cells(of trial: SearchTrial, rung: Int) throws -> [Cell] {
        let isLast = rung == config.halving.rungs - 1
        return try Cell.all(
            of: experiment(trial.node(config.base)), "trial \(trial.number)",
            in: directory.appendingPathComponent("trials/\(trial.number)"),
            seeds: (1...UInt64(config.seeds)).map { Self.trialSeeds + $0 },
            pause: isLast ? nil : .init(share: config.halving.share(ofRung: rung), name: "rung-\(rung)"))
    }

    // MARK: The confirmation

    /// Trains the best trials, and the configuration as it is, to their end with further seeds.
    private func confirm(
        _ state: SearchState, _ pool: CellPool, _ metric: CellMetric, _ told: (String) -> Void
    ) throws -> [SearchReport.Finalist] {
        let seeds = (1...UInt64(config.confirming.seeds)).map { Self.confirmingSeeds + $0 }
        let best = state.ranking.filter(\.loss.isFinite).prefix(config.confirming.top).map(\.trial)
        var entries: [(trial: Int?, name: String, config: any RunConfig)] = try best.map {
            ($0, "trial-\($0)", try experiment(state.trials[$0].node(config.base)))
        }
        // A configuration may lack a setting that is searched, and then cannot be run as it is.
        if let asItIs = try? experiment(config.base) { entries.insert((nil, "as-it-is", asItIs), at: 0) }
        let cells = try entries.flatMap { entry in
            try Cell.all(
                of: entry.config, entry.name, in: directory.appendingPathComponent("confirm/\(entry.name)"),
                seeds: seeds)
        }
        let outcomes = try pool.run(cells) { cell, outcome, done, all in
            told("\(cell.title): \(outcome.words(prefix: metric.prefix)) (\(done) of \(all) that confirm)")
        }
        return entries.enumerated().map { number, entry in
            SearchReport.Finalist(
                trial: entry.trial, seeds: seeds,
                outcomes: Array(outcomes[(number * seeds.count)..<((number + 1) * seeds.count)]),
                metric: metric)
        }
    }

    private func write(_ report: SearchReport, _ state: SearchState, from file: String) throws {
        try JSON.write(report, to: directory.appendingPathComponent("search.json"))
        guard let best = report.best else { return }
        let trial = state.trials[best]
        let head = "# Found by peo tune \(file), trial \(best): \(trial.words)\n"
        try AtomicFile.write(
            Data((head + (try trial.node(config.base)).yaml()).utf8),
            to: directory.appendingPathComponent("best.yaml"))
        guard report.finalists.contains(where: { $0.trial == nil }) else { return }
        try AtomicFile.write(
            Data(comparison(with: trial, by: report.metric).yaml().utf8),
            to: directory.appendingPathComponent("compare.yaml"))
    }

    /// A comparison of the configuration as it is with the best found.
    private func comparison(with trial: SearchTrial, by metric: String) -> ConfigNode {
        let changes = ConfigNode.mapping(trial.values.map { ($0.path.joined(separator: "."), $0.value) })
        return .mapping([
            ("config", config.base),
            ("arms", .mapping([("asItIs", .mapping([])), ("tuned", changes)])),
            ("seeds", ConfigNode(.scalar(.init("8")))),
            ("metric", ConfigNode(.scalar(.init(metric)))),
        ])
    }
}
