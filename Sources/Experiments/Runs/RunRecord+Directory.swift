import Foundation
import Safetensors
import Training

extension RunRecord {
    /// Reads a run's directory.
    ///
    /// Whatever is there is read: a run that is being written, one that was killed at any instant, one of which half is gone.
    ///
    /// - Parameters:
    ///   - run: how the record calls it.
    ///   - isOwn: whether this very process holds the run's lock; it then counts as ended once `run.json` says so.
    init(of url: URL, run: String, isOwn: Bool = false) {
        self.init(run: run, name: url.lastPathComponent, stamp: Self.stamp(of: url) ?? "")
        let isAtWork = isOwn || RunDirectory.isInUse(url)
        var faults: [String] = []
        do {
            let text = String(
                decoding: try MappedFile.contents(of: url.appendingPathComponent("config.yaml")),
                as: UTF8.self)
            take(try ConfigNode(yaml: text))
        } catch let error as FileError {
            faults.append(error.reason == .missing ? "config.yaml is missing" : error.message)
        } catch {
            faults.append("config.yaml is damaged: \(error)")
        }
        let facts = try? RunInformation(contentsOf: url.appendingPathComponent("run.json"))
        if let facts { take(facts) }
        let last = facts?.sessions.last
        do {
            take(try RunResults.read(url.appendingPathComponent("result.json")))
        } catch let error as FileError where error.reason == .missing {
            takeNewest(of: url.appendingPathComponent("metrics.jsonl"))
            status = Self.status(last?.end, isAtWork: isAtWork)
            message = last?.message
        } catch let error as CheckpointError {
            faults.append(error.message)
        } catch {
            faults.append("\(error)")
        }
        if facts == nil, !isAtWork { faults.append("run.json is missing or damaged") }
        if !faults.isEmpty {
            status = .damaged
            message = faults.joined(separator: "; ")
        }
    }

    /// An empty record.
    init(run: String, name: String, stamp: String) {
        self.run = run
        self.name = name
        self.stamp = stamp
        status = .killed
        (model, data, perturbation) = ("", "", "")
        (steps, trainingSeconds) = (0, 0)
        (metrics, settings) = ([:], [:])
    }

    /// How a run without a result stands.
    private static func status(_ end: RunInformation.End?, isAtWork: Bool) -> Status {
        switch end {
        // A result that is gone: the run would be finished anew.
        case .completed, .stoppedEarly: isAtWork ? .running : .killed
        case .interrupted, .paused: .interrupted
        case .diverged: .diverged
        case .failed: .failed
        case nil: isAtWork ? .running : .killed
        }
    }

    private mutating func take(_ config: ConfigNode) {
        settings = Dictionary(config.settings.map { ($0.path, $0.value) }) { first, _ in first }
        model = (config["model"] ?? config["agent"])?.choice ?? ""
        data = (config["data"] ?? config["environment"])?.choice ?? ""
        perturbation = [config["parameterPerturbation"]?.choice, config["perturbation"]?.choice]
            .compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: "+")
        seed = settings["training.seed"].flatMap(UInt64.init)
    }

    private mutating func take(_ facts: RunInformation) {
        name = facts.name
        seed = facts.seed
        started = facts.sessions.first?.started
        ended = facts.sessions.last?.ended
        steps = facts.sessions.last?.toStep ?? 0
        trainingSeconds = facts.sessions.reduce(0) { $0 + $1.trainingSeconds }
    }

    private mutating func take(_ result: any RunResult) {
        status = result.status == .completed ? .completed : .stoppedEarly
        steps = result.steps
        trainingSeconds = result.trainingSeconds
        metrics = result.metrics
        metrics["trainingSeconds"] = nil
    }

    /// How many bytes of a log's end are looked at for the newest evaluation.
    private static let tail = 1 << 16

    /// The newest evaluation of a run that is not finished, from its log.
    private mutating func takeNewest(of log: URL) {
        guard let bytes = try? MappedFile.contents(of: log).suffix(Self.tail) else { return }
        var seen: Set<String> = []
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n").reversed() {
            guard let record = MetricsLine(line) else { continue }
            steps = max(steps, record.step)
            if record.kind == .train, metrics["return"] == nil {
                // What an agent is judged by as it learns.
                for name in ["return", "length"] { metrics[name] = record.values[name] }
            }
            guard record.kind != .train, seen.insert(record.kind.rawValue).inserted else { continue }
            let prefix = record.kind == .validation ? "validation." : ""
            for (name, value) in record.values { metrics[prefix + name] = value }
        }
    }

    /// What changes whenever a run changes: the newest writes of its files. Nil where there is no directory.
    static func stamp(of url: URL) -> String? {
        var status = stat()
        guard stat(url.path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return nil }
        return ["config.yaml", "run.json", "result.json", "metrics.jsonl"].map { name in
            guard stat(url.appendingPathComponent(name).path, &status) == 0 else { return "-" }
            return "\(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec).\(status.st_size)"
        }.joined(separator: " ")
    }
}
