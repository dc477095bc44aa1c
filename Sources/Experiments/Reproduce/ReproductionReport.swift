import Foundation
import PerturbedEquations
import Safetensors
import Statistics
import Torch
import Training

/// What a reproduction found: `reproduction.json`, and what `peo reproduce` prints.
///
/// A number that is not finite is left out of ``Measure/values`` and of lines, and the arm's notes say so.
public struct ReproductionReport: Codable, Sendable {
    /// A number measured in an arm, over seeds, beside what others found.
    public struct Measure: Codable, Sendable {
        /// What is measured, with its unit where it has one: `test accuracy, %`, `steps`.
        public var quantity: String
        /// What the paper states, in words: `96.7`; nil where it states no number.
        public var published: String?
        /// What an independent script (NumPy or PyTorch) measured in this project's preparation, in words.
        public var independent: String?
        /// One value for each seed that was run to its end, in the order of `seeds`.
        public var seeds: [UInt64]
        public var values: [Double]
        /// x̄; nil without values.
        public var mean: Double?
        /// s = √(Σ(x − x̄)²/(n − 1)); nil for fewer than two values.
        public var deviation: Double?
        public var median: Double?
        /// Student's interval of the mean at 95%; nil for fewer than two values.
        public var interval: Statistics.Interval?
    }

    /// One thing that was run over seeds.
    public struct Arm: Codable, Sendable {
        public var name: String
        /// What it does, in a line.
        public var summary: String
        /// Whether it is there to show where the method does not help.
        public var isNegativeControl: Bool
        public var measures: [Measure]
        /// What was chosen on held-out data, by key path.
        public var chosen: [String: String]
        /// Seeds that diverged or failed, and the like.
        public var notes: [String]
    }

    /// A criterion, and whether what was measured meets it.
    public struct Check: Codable, Sendable {
        /// In words, with the threshold: `label noise ends with ‖v² − w*‖² below 0.05 with every seed`.
        public var criterion: String
        /// What was measured, in words.
        public var measured: String
        public var passed: Bool
        /// Whether it states where the method does not help.
        public var isNegativeControl: Bool
    }

    /// Lines over a common axis, such as a metric against the step.
    public struct Chart: Codable, Sendable {
        /// One arm: the mean over its seeds at each x, and the least and the greatest.
        public struct Line: Codable, Sendable {
            public var arm: String
            public var x: [Double]
            public var mean: [Double]
            public var lower: [Double]
            public var upper: [Double]
        }

        public var title: String
        public var xTitle: String
        public var yTitle: String
        public var isXLogarithmic: Bool
        public var isYLogarithmic: Bool
        public var lines: [Line]
        /// What lines and bands are, in a sentence; nil: means, and the range of the seeds.
        public var caption: String?
    }

    /// Where it ran.
    public struct Machine: Codable, Sendable {
        public var system: String
        public var processor: String
        public var cores: Int
    }

    /// What ran it.
    public struct Versions: Codable, Sendable {
        public var peo: String
        public var libtorch: String
    }

    /// The name that `peo reproduce` takes.
    public var id: String
    public var title: String
    /// What the experiment is to show.
    public var claim: String
    /// The paper or code that it follows.
    public var source: String
    /// Problem, sizes, step sizes: what was run, at this scale.
    public var setUp: String
    public var scale: ReproductionScale
    public var arms: [Arm]
    public var checks: [Check]
    /// Whether every criterion is met, negative controls' too.
    public var passed: Bool
    public var charts: [Chart]
    /// Differences from the source, and what else a reader should know.
    public var notes: [String]
    /// Wall time of the call that finished it, in seconds; cells that were done before are not in it.
    public var elapsedSeconds: Double
    public var machine: Machine
    public var versions: Versions
    /// When it was finished, ISO 8601.
    public var date: String

    /// Reads a `reproduction.json`.
    /// - Throws: `FileError` if it cannot be read; `CheckpointError` (`damaged`) if it is not one.
    public init(contentsOf url: URL) throws {
        self = try JSON.read(
            from: url, as: "the report of a reproduction", remedy: "run peo reproduce again")
    }

    init(
        of reproduction: any Reproduction, _ scale: ReproductionScale, _ findings: ReproductionFindings,
        elapsed: Double
    ) {
        id = reproduction.id
        title = reproduction.title
        claim = reproduction.claim
        source = reproduction.source
        setUp = findings.setUp
        self.scale = scale
        arms = findings.arms
        checks = findings.checks
        passed = findings.checks.allSatisfy(\.passed)
        charts = findings.charts
        notes = findings.notes
        elapsedSeconds = elapsed
        machine = Machine(
            system: ProcessInfo.processInfo.operatingSystemVersionString,
            processor: RunInformation.processorName, cores: ProcessInfo.processInfo.activeProcessorCount)
        versions = Versions(peo: Experiment.version, libtorch: Libtorch.version)
        date = Date().formatted(.iso8601)
    }
}

extension ReproductionReport.Measure {
    /// Values over seeds, with their statistics.
    ///
    /// - Parameter values: by seed; those that are not finite are left out.
    init(
        _ quantity: String, published: String? = nil, independent: String? = nil,
        _ values: [(seed: UInt64, value: Double)]
    ) {
        let finite = values.filter { $0.value.isFinite }
        let numbers = finite.map(\.value)
        self.quantity = quantity
        self.published = published
        self.independent = independent
        seeds = finite.map(\.seed)
        self.values = numbers
        mean = numbers.isEmpty ? nil : Sample.mean(numbers)
        deviation = numbers.count > 1 ? Sample.deviation(numbers) : nil
        median = numbers.isEmpty ? nil : Sample.quantile(0.5, ofSorted: numbers.sorted())
        interval = StudentT.interval(ofMean: numbers)
    }
}

extension ReproductionReport.Chart.Line {
    /// The mean and the range of the seeds' curves at every x that all of them have a finite value at.
    ///
    /// - Parameter curves: y by x, one for each seed.
    init?(arm: String, curves: [[(x: Double, y: Double)]]) {
        guard let first = curves.first else { return nil }
        let byPlace = curves.map { curve in
            Dictionary(curve.filter { $0.y.isFinite }.map { ($0.x, $0.y) }, uniquingKeysWith: { $1 })
        }
        self.init(arm: arm, x: [], mean: [], lower: [], upper: [])
        for (x, _) in first {
            let values = byPlace.compactMap { $0[x] }
            guard values.count == curves.count else { continue }
            self.x.append(x)
            mean.append(Sample.mean(values))
            lower.append(values.min() ?? 0)
            upper.append(values.max() ?? 0)
        }
        if self.x.isEmpty { return nil }
    }
}
