import Datasets
import Foundation

/// How large a reproduction is.
public enum ReproductionScale: String, Codable, Sendable, CaseIterable {
    /// As the source has it, as far as two cores allow.
    case full
    /// Seconds: whether everything works, with criteria of its own.
    case quick
}

/// An experiment with a published reference, which `peo reproduce` runs and judges by stated criteria.
///
/// One file each; ``ReproductionCatalogue`` lists them.
public protocol Reproduction: Sendable {
    /// The name that `peo reproduce` takes: small letters, digits and hyphens.
    var id: String { get }
    var title: String { get }
    /// What it is to show, in a sentence.
    var claim: String { get }
    /// The paper or code that it follows.
    var source: String { get }

    /// About how long it takes on two cores, in seconds.
    func seconds(_ scale: ReproductionScale) -> Double

    /// Published data that it needs, by the name that `peo data` knows.
    func data(_ scale: ReproductionScale) -> [String]

    /// Runs what is left of it.
    ///
    /// - Throws: `TrainingStopped` when interrupted: the same call goes on; `FileError`, ``ConfigError``.
    func run(_ context: ReproductionContext) throws -> ReproductionFindings
}

extension Reproduction {
    public func data(_ scale: ReproductionScale) -> [String] { [] }
}

/// What a reproduction is given.
public struct ReproductionContext {
    public let scale: ReproductionScale
    /// Where it may keep what it runs.
    public let directory: URL
    /// The `peo` that trains cells.
    public let program: URL
    /// Where its data are looked for.
    public let locations: DataLocations
    /// Is told what happens: a line for people.
    public let told: (String) -> Void

    var isQuick: Bool { scale == .quick }

    /// `full`, or `quick` where that is the scale.
    func pick<Value>(full: Value, quick: Value) -> Value { isQuick ? quick : full }
}

/// What a reproduction measured.
public struct ReproductionFindings: Sendable {
    public var setUp: String
    public var arms: [ReproductionReport.Arm] = []
    public var checks: [ReproductionReport.Check] = []
    public var charts: [ReproductionReport.Chart] = []
    public var notes: [String] = []

    /// - Parameter setUp: what was run, at its scale.
    public init(setUp: String) { self.setUp = setUp }

    /// States a criterion and what was measured.
    mutating func check(
        _ criterion: String, _ passed: Bool, measured: String, isNegativeControl: Bool = false
    ) {
        checks.append(
            .init(
                criterion: criterion, measured: measured, passed: passed,
                isNegativeControl: isNegativeControl))
    }
}
