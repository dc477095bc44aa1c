import ArgumentParser
import Experiments
import Foundation

/// The options of `peo evaluate` for robustness and flatness.
struct MeasureOptions: ParsableArguments {
    @Option(help: "Radii of FGSM and PGD, separated by commas; none: no attacks (default: 0.01,0.03,0.1).")
    var epsilon: String?

    @Option(help: "Steps of PGD; 0: FGSM alone (default: 20).")
    var pgdSteps: Int?

    @Option(help: "How many examples are attacked (default: 1000).")
    var attacked: Int?

    @Option(
        help: """
            Deviations of Gaussian noise on the inputs, separated by commas; none: no noise beside the damage (default: \
            none).
            """)
    var noise: String?

    @Option(help: "How many training examples flatness is measured on (default: 1024, of sequences 64).")
    var examples: Int?

    @Option(help: "Random probes of the Hessian's trace (default: 20).")
    var probes: Int?

    @Option(help: "Products with the Hessian that power iteration takes at most (default: 100).")
    var iterations: Int?

    @Option(help: "Where power iteration ends: its residual as a share of the eigenvalue (default: 0.01).")
    var tolerance: Double?

    @Option(help: "Radii of the sharpness, separated by commas; none: no sharpness (default: 0.05,0.1,0.5).")
    var rho: String?

    @Option(help: "Gradients of one sharpness (default: 10).")
    var ascentSteps: Int?

    @Option(help: "Points of a slice of the loss, odd; 0: no slices (default: 21).")
    var slice: Int?

    @Option(help: "Points along each side of the grid of losses, odd; 0: no grid (default: 11).")
    var grid: Int?

    @Option(
        help: "How far slices and grid reach: at 1 weights and move are of one size (default: 1).")
    var span: Double?

    /// Beyond it a radius, a deviation or a span says nothing of a model, and float32 ends somewhere.
    private static let most = 1e6

    func validate() throws {
        _ = try robustness()
        _ = try flatness()
    }

    /// Refuses options of parts that are not measured.
    /// - Throws: `UsageError`.
    func refuse(unlessOf parts: [EvaluationPart]) throws {
        let ofRobustness = [
            ("--epsilon", epsilon != nil), ("--pgd-steps", pgdSteps != nil), ("--attacked", attacked != nil),
            ("--noise", noise != nil),
        ]
        let ofFlatness = [
            ("--examples", examples != nil), ("--probes", probes != nil), ("--iterations", iterations != nil),
            ("--tolerance", tolerance != nil), ("--rho", rho != nil), ("--ascent-steps", ascentSteps != nil),
            ("--slice", slice != nil), ("--grid", grid != nil), ("--span", span != nil),
        ]
        for (part, options) in [(EvaluationPart.robustness, ofRobustness), (.flatness, ofFlatness)]
        where !parts.contains(part) {
            guard let option = options.first(where: \.1)?.0 else { continue }
            throw UsageError(
                message: "\(option) is of \(part.rawValue), and what is measured here is "
                    + parts.map(\.rawValue).joined(separator: ", "))
        }
    }

    func robustness() throws -> RobustnessSettings {
        var settings = RobustnessSettings()
        if let epsilon { settings.epsilons = try numbers("--epsilon", epsilon, "≥ 0") { $0 >= 0 } }
        if let noise { settings.noise = try numbers("--noise", noise, "≥ 0") { $0 >= 0 } }
        try require("--pgd-steps", pgdSteps, in: 0...10_000)
        if let pgdSteps { settings.pgdSteps = pgdSteps == 0 ? nil : pgdSteps }
        try require("--attacked", attacked, in: 1 ... .max)
        settings.attacked = attacked ?? 1000
        return settings
    }

    func flatness() throws -> FlatnessSettings {
        var settings = FlatnessSettings()
        if let rho { settings.rhos = try numbers("--rho", rho, "> 0") { $0 > 0 } }
        settings.examples = examples
        settings.probes = probes ?? settings.probes
        settings.iterations = iterations ?? settings.iterations
        settings.ascentSteps = ascentSteps ?? settings.ascentSteps
        settings.tolerance = tolerance ?? settings.tolerance
        settings.slicePoints = slice ?? settings.slicePoints
        settings.gridPoints = grid ?? settings.gridPoints
        settings.span = span ?? settings.span
        for (option, value) in [
            ("--examples", examples), ("--probes", probes), ("--iterations", iterations),
            ("--ascent-steps", ascentSteps),
        ] { try require(option, value, in: 1 ... .max) }
        try require(
            settings.tolerance > 0 && settings.tolerance < 1, "--tolerance", settings.tolerance,
            "more than 0, less than 1")
        try require(
            settings.span > 0 && settings.span <= Self.most, "--span", settings.span,
            "more than 0, at most 1e6")
        for (option, value) in [("--slice", settings.slicePoints), ("--grid", settings.gridPoints)] {
            try require(
                value == 0 || value >= 3 && value <= 1001 && value % 2 == 1, option, value,
                "0, or an odd number from 3 to 1001")
        }
        return settings
    }

    private func numbers(_ option: String, _ text: String, _ allowed: String, _ isAllowed: (Double) -> Bool)
        throws
        -> [Double]
    {
        guard text != "none" else { return [] }
        return try text.split(separator: ",", omittingEmptySubsequences: false).map { item in
            guard let value = Double(item.trimmingCharacters(in: .whitespaces)), value <= Self.most,
                isAllowed(value)
            else {
                throw ValidationError(
                    "\(option) has '\(item)'; allowed: numbers \(allowed), at most 1e6, or none")
            }
            return value
        }
    }
}
