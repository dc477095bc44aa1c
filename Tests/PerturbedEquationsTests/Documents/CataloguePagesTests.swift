import Foundation
import PerturbedEquations
import TestSupport
import Testing

/// Every catalogued type has its section in the DocC pages: an equation, a picture, when to use it and when not.
///
/// Data and activations are held against `peo list noise` by `PicturesTests`.
@Suite struct CataloguePagesTests {
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
    func everyTypeHasACompleteSection(_ index: Int) throws {
        let (name, entries) = Self.pages[index]
        let page = try CataloguePage(name)
        for entry in entries {
            #expect(page.problems(of: entry.name) == [], "\(name).md")
        }
        #expect(page.hasStrengths, "\(name).md does not say how strong")
    }

    /// The check finds what is missing: sections of the real pages with a part taken out.
    @Test func aSectionWithoutAPartIsFound() throws {
        let text = try CataloguePage("Rules").text
        for (part, problem) in [
            ("θ ← θ − ηĝ, with momentum, dampening and Nesterov's form if asked\n\n", "no equation"),
            ("](sgd)\n", "no picture"), ("*When*: noise is to keep", "no *When*"),
            ("*When not*: badly scaled", "no *When not*"), ("### SGD (sgd)\n", "no section"),
        ] {
            let without = CataloguePage(text: text.replacing(part, with: ""))
            #expect(without.problems(of: "sgd").contains { $0.contains(problem) }, "\(part)")
        }
        let elsewhere = CataloguePage(text: text.replacing("](sgd)", with: "](noSuchFile)"))
        #expect(elsewhere.problems(of: "sgd").contains { $0.contains("noSuchFile.svg") })
    }
}
