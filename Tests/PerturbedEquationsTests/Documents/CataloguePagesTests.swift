import Foundation
import PerturbedEquations
import TestSupport
import Testing

/// Every catalogued type has its section in the DocC pages.
@Suite struct CataloguePagesTests {
    static let catalog = packageRoot.appendingPathComponent(
        "Sources/PerturbedEquations/PerturbedEquations.docc")

    static func page(_ name: String) throws -> String {
        try String(contentsOf: catalog.appendingPathComponent("\(name).md"), encoding: .utf8)
    }

    static let catalogue = Catalogue.builtIn
    static let pages: [(page: String, entries: [CatalogueEntry])] = [
        ("Perturbations", catalogue.perturbations.map { $0.catalogueEntry }),
        ("ParameterPerturbations", catalogue.parameterPerturbations.map { $0.catalogueEntry }),
        ("Rules", catalogue.rules.map { $0.catalogueEntry }),
        ("SchedulesAndControllers", catalogue.schedules.map { $0.catalogueEntry }),
        ("SchedulesAndControllers", catalogue.controllers.map { $0.catalogueEntry }),
        ("StabilityGuards", Catalogue.guards),
    ]

    @Test(arguments: pages.indices)
    func everyTypeHasASection(_ index: Int) throws {
        let (page, entries) = Self.pages[index]
        let headings = try Self.page(page).split(separator: "\n").filter { $0.hasPrefix("### ") }
        for entry in entries {
            #expect(
                headings.contains { $0.hasSuffix("(\(entry.name))") },
                "\(page).md has no section \"### … (\(entry.name))\"")
        }
    }
}
