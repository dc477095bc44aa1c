import Datasets
import Foundation
import Safetensors
import Training

/// Runs an experiment of the catalogue, judges it, and keeps the report.
public struct ReproductionRun {
    public let reproduction: any Reproduction
    public let scale: ReproductionScale
    /// Where everything is kept: `<base>/<id>`, or `<base>/quick/<id>`.
    public let directory: URL

    /// The report's file.
    public var report: URL { directory.appendingPathComponent("reproduction.json") }

    /// - Parameter base: the directory of all reproductions; `reproductions` unless told.
    public init(_ reproduction: any Reproduction, _ scale: ReproductionScale, in base: String? = nil) {
        self.reproduction = reproduction
        self.scale = scale
        var directory = URL(fileURLWithPath: base ?? "reproductions")
        if scale == .quick { directory.appendPathComponent("quick") }
        self.directory = directory.appendingPathComponent(reproduction.id)
    }

    /// Runs what is left of the experiment and writes its report; cells that are done are not run again.
    ///
    /// - Parameters:
    ///   - program: the `peo` that trains cells.
    ///   - locations: where its data are looked for.
    ///   - told: what happens: a line for people.
    /// - Throws: `DatasetError` where data are missing, before anything is run or written; `TrainingStopped` when
    ///   interrupted: the same call goes on; `FileError`; ``ConfigError``.
    public func run(
        program: URL, from locations: DataLocations = DataLocations(), told: @escaping (String) -> Void
    ) throws -> ReproductionReport {
        for name in reproduction.data(scale) {
            let data = try DatasetCatalogue.published(named: name)
            guard data.alternative(in: locations) == nil else { continue }
            for file in data.files { _ = try locations.locate(file, of: name) }
        }
        do {
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        } catch {
            throw FileError(
                path: directory.relativePath, operation: .create, reason: .permission,
                detail: "the directory cannot be made; give another --output")
        }
        let start = ContinuousClock.now
        let findings = try reproduction.run(
            ReproductionContext(
                scale: scale, directory: directory, program: program, locations: locations, told: told))
        let elapsed = (ContinuousClock.now - start) / .seconds(1)
        let result = ReproductionReport(of: reproduction, scale, findings, elapsed: elapsed)
        try JSON.write(result, to: report)
        return result
    }
}
