import ArgumentParser
import Datasets
import Experiments
import Foundation

/// The options of `peo evaluate` for posteriors and ensembles.
struct PosteriorOptions: ParsableArguments {
    @Flag(
        help: """
            Measure quality and posterior: the predictive distribution's uncertainty and temperature. A sampled run is \
            always measured so, and runs beside it; of a trained run it is that of its one set of weights.
            """)
    var posterior = false

    @Flag(help: "Measure all the runs as one deep ensemble; they must differ in nothing but their training.")
    var ensemble = false

    @Option(help: ArgumentHelp("Measure a run under so many masks of dropout.", valueName: "masks"))
    var dropout: Int?

    @Option(
        help: ArgumentHelp(
            "Draws of a sampled run at most, taken evenly (default: 1000).", valueName: "draws"))
    var members: Int?

    @Option(
        help: ArgumentHelp(
            "A data set of another distribution, which uncertainty should tell apart (peo list datasets).",
            valueName: "data"))
    var ood: String?

    /// Those that were given, by name.
    var given: [String] {
        [
            ("--posterior", posterior), ("--ensemble", ensemble), ("--dropout", dropout != nil),
            ("--members", members != nil), ("--ood", ood != nil),
        ].filter(\.1).map(\.0)
    }

    func validate() throws {
        try require("--dropout", dropout, in: 1...1_000_000)
        try require("--members", members, in: 1...1_000_000)
        if let ood {
            do {
                _ = try DatasetCatalogue.entry(named: ood)
            } catch let error as DatasetError {
                throw ValidationError("--ood: \(error.message)")
            }
        }
        if ensemble, dropout != nil {
            throw ValidationError("--ensemble and --dropout are both given; allowed: one of them")
        }
    }

    /// What is measured of the runs, of those that were named or of those that are so by default; nil: all that applies.
    ///
    /// - Parameters:
    ///   - named: the parts of `--only`.
    ///   - sampled: those of the runs that are sampled posteriors.
    ///   - weights: whether `--weights` is given.
    /// - Throws: `UsageError` for options that do not fit each other or the runs.
    func parts(_ named: [EvaluationPart]?, of runs: [String], sampled: [String], weights: Bool) throws
        -> [EvaluationPart]?
    {
        for (option, isGiven) in [
            ("--posterior", posterior), ("--ensemble", ensemble), ("--dropout", dropout != nil),
        ] where isGiven && named != nil {
            throw UsageError(
                message:
                    "--only and \(option), which measures quality and posterior, are both given; allowed: one of them"
            )
        }
        if let run = sampled.first {
            for (option, isGiven) in [
                ("--ensemble", ensemble), ("--dropout", dropout != nil), ("--weights", weights),
            ] where isGiven {
                throw UsageError(
                    message:
                        "\(option) is for runs that are trained, and \(run) is a sampled posterior; allowed: without it"
                )
            }
            if let part = named?.first(where: { !EvaluationPart.ofPosterior.contains($0) }) {
                throw UsageError(
                    message:
                        "--only names \(part.rawValue), which is of one set of weights, and \(run) is a sampled posterior; "
                        + "allowed: quality, posterior")
            }
        } else if members != nil {
            throw UsageError(
                message:
                    "--members is for sampled posteriors, and \(runs[0]) is a run that is trained; allowed: without it"
            )
        }
        if ensemble, runs.count < 2 {
            throw UsageError(message: "--ensemble is given with one run; allowed: two or more")
        }
        let isOfPosterior = posterior || ensemble || dropout != nil || !sampled.isEmpty
        let parts = named ?? (isOfPosterior ? EvaluationPart.ofPosterior : nil)
        if ood != nil, parts?.contains(.posterior) != true {
            throw UsageError(
                message:
                    "--ood is a measure of the predictive distribution, which is not asked for; allowed: with --posterior, "
                    + "--ensemble, --dropout, or a sampled run")
        }
        return parts
    }

    /// What takes the place of a run's own weights; nil for what `RunEvaluation` measures.
    func evaluation(_ run: String, weights: RunWeights?, split: EvaluatedSplit, seed: UInt64) throws
        -> PosteriorEvaluation?
    {
        let url = URL(fileURLWithPath: run)
        if PosteriorEvaluation.isSampled(url) {
            return try PosteriorEvaluation(sampled: url, atMost: members ?? 1000, split: split, seed: seed)
        }
        return try dropout.map {
            try PosteriorEvaluation(
                try RunEvaluation(run: url, weights: weights, split: split, seed: seed), dropout: $0)
        }
    }
}
