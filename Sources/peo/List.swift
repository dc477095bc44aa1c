import ArgumentParser
import Experiments
import Foundation
import PerturbedEquations
import Training

/// `peo list`
struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "List what a configuration can name, with equations, parameters, defaults, units and sources.",
        discussion: """
            Examples:
              peo list                          everything, a line each
              peo list perturbations            one family
              peo list perturbations gaussian   one entry in full
            """)

    @Argument(help: "\(CatalogueFamily.allCases.map(\.rawValue).joined(separator: ", ")); all unless given.")
    var family: String?

    @Argument(help: "The entry to show in full.")
    var name: String?

    @Flag(name: .long, help: "Print one JSON object.")
    var json = false

    func run() throws {
        let families = try family.map { [try Self.family($0)] } ?? CatalogueFamily.allCases
        if let name, let family = families.first {
            let entry = try family.entry(named: name)
            try json ? Output.writeJSON(entry) : Output.write(CatalogueText.full(entry, in: family))
            return
        }
        if json {
            try Output.writeJSON(
                Dictionary(uniqueKeysWithValues: families.map { ($0.rawValue, $0.entries) }))
        } else {
            let width = isatty(STDOUT_FILENO) == 1 ? Terminal.detect().width : Int.max
            try Output.write(
                families.map { CatalogueText.table($0, width: width) }.joined(separator: "\n\n"))
        }
    }

    private static func family(_ name: String) throws -> CatalogueFamily {
        if let family = CatalogueFamily(rawValue: name) { return family }
        let names = CatalogueFamily.allCases.map(\.rawValue)
        let hint = nearestName(to: name, among: names).map { "; did you mean '\($0)'?" } ?? ""
        throw UsageError(
            message: "there is no family '\(name)'\(hint) (allowed: \(names.joined(separator: ", ")))")
    }
}
