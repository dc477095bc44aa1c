import Foundation
import PerturbedEquations
import Safetensors
import Torch

/// `run.json`: what the results depend on beside the configuration, and who worked on the run when.
public struct RunInformation: Codable, Sendable {
    /// How a process left the run.
    public enum End: String, Codable, Sendable {
        case completed, stoppedEarly
        /// It was asked to stop, and has saved.
        case interrupted
        /// It waits where it was told to.
        case paused
        /// The stability controller gave up.
        case diverged
        /// Something else went wrong: a full disk, too little memory.
        case failed
    }

    /// A process that worked on the run.
    public struct Session: Codable, Sendable {
        /// Time of the start, ISO 8601.
        public var started: String
        public var fromStep: Int
        /// The last step that was saved.
        public var toStep: Int
        /// Wall time of training up to there, without evaluation and saving.
        public var trainingSeconds: Double
        /// Time of the end, ISO 8601; nil while the process works, and where it was killed.
        public var ended: String?
        public var end: End?
        /// Why it did not complete the run.
        public var message: String?
    }

    public var name: String
    public var seed: UInt64
    public var threads: Int
    public var peo: String
    public var libtorch: String
    public var system: String
    public var processor: String
    public var command: [String]
    public var sessions: [Session] = []

    /// The facts of this machine and process.
    public init(name: String, seed: UInt64, threads: Int, version: String) {
        self.name = name
        self.seed = seed
        self.threads = threads
        peo = version
        libtorch = Libtorch.version
        system = ProcessInfo.processInfo.operatingSystemVersionString
        processor = Self.processorName
        command = CommandLine.arguments
    }

    /// Reads `run.json`.
    public init(contentsOf url: URL) throws {
        self = try JSON.decoder().decode(Self.self, from: MappedFile.contents(of: url))
    }

    /// Writes `run.json`, atomically.
    public func write(to url: URL) throws {
        try JSON.write(self, to: url)
    }

    /// Takes over the sessions of a run that goes on at a step: without those that came only after its checkpoint, whose
    /// work is done again.
    package mutating func continueSessions(of run: RunDirectory, at step: Int) {
        sessions = (try? RunInformation(contentsOf: run.information))?.sessions ?? []
        sessions.removeAll { $0.fromStep >= step && $0.toStep > step }
    }

    /// Wall time of training without evaluation and saving, over all sessions.
    package var trainingSeconds: Double { sessions.reduce(0) { $0 + $1.trainingSeconds } }

    /// Notes that the process which works on the run has saved it.
    package mutating func noteSave(at step: Int, trainingSeconds: Double) {
        guard let last = sessions.indices.last else { return }
        sessions[last].toStep = step
        sessions[last].trainingSeconds = trainingSeconds
    }

    /// Notes that a process starts to work on the run at `step`.
    public mutating func beginSession(at step: Int) {
        sessions.append(
            Session(
                started: Date().formatted(.iso8601), fromStep: step, toStep: step, trainingSeconds: 0))
    }

    /// Notes how the process that works on the run leaves it.
    public mutating func endSession(_ end: End, message: String? = nil) {
        guard let last = sessions.indices.last else { return }
        sessions[last].ended = Date().formatted(.iso8601)
        sessions[last].end = end
        sessions[last].message = message
    }

    /// The name that the processor gives itself.
    package static var processorName: String {
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
        return line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown"
    }
}
