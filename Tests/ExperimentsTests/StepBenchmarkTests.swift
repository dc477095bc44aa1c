import Experiments
import PerturbedEquations
import Testing

/// The table of `peo bench step`: no perturbation is left out of it.
@Suite struct StepBenchmarkTests {
    @Test func everyPerturbationHasARow() {
        let timed = StepBenchmark.equations.flatMap(\.equation.perturbation).map {
            type(of: $0).catalogueEntry.name
        }
        for type in Catalogue.builtIn.perturbations {
            let name = type.catalogueEntry.name
            #expect(timed.contains(name), "peo bench step has no row with \"\(name)\"")
            #expect(
                StepBenchmark.equations.contains { $0.name.contains(name) },
                "no row of peo bench step is called after \"\(name)\"")
        }
    }

    /// Every row runs, with signals where its terms require them.
    @Test func everyRowIsTimed() throws {
        let report = try StepBenchmark(elements: 5000, threads: 1, placements: 1, rounds: 1).run()
        let names = report.rows.map(\.name)
        for entry in StepBenchmark.equations {
            #expect(names.contains(entry.name))
            #expect(report.table.contains(entry.name))
        }
        #expect(report.rows.allSatisfy { $0.nanoseconds > 0 && $0.toGaussian != nil })
    }
}
