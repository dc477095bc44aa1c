import Foundation
import TestSupport
import Testing

@Suite struct ListTests {
    @Test func everyFamilyAndEntryIsListedInFull() throws {
        let directory = try TemporaryDirectory()
        let all = try PeoTool.run(["list", "--json"], in: directory)
        #expect(all.status == 0, "\(all.all)")
        #expect(
            all.json.keys.sorted() == [
                "algorithms", "controllers", "datasets", "environments", "explorations", "guards", "models",
                "noise",
                "parameterPerturbations", "perturbations", "posteriors", "presets", "priors", "rules",
                "schedules",
            ])
        for (family, entries) in all.json {
            let entries = try #require(entries as? [[String: Any]])
            #expect(!entries.isEmpty, "\(family)")
            for entry in entries {
                let name = try #require(entry["name"] as? String)
                for field in ["summary", "equation", "source"] {
                    #expect((entry[field] as? String)?.isEmpty == false, "\(family) \(name): no \(field)")
                }
            }
        }
        let text = try PeoTool.run(["list", "perturbations", "gaussian"], in: directory)
        for word in ["δ = σ(t)·ξ", "sigma", "standard deviation", "Neelakantan"] {
            #expect(text.stdout.contains(word), "\(text.all)")
        }
    }

    @Test func anUnknownEntryIsToldTheNearest() throws {
        let directory = try TemporaryDirectory()
        let output = try PeoTool.run(["list", "rules", "adan"], in: directory)
        #expect(output.status == 65 && output.stderr.contains("did you mean 'adam'"), "\(output.all)")
    }

    @Test func helpAndVersion() throws {
        let directory = try TemporaryDirectory()
        let help = try PeoTool.run(["--help"], in: directory)
        #expect(
            help.status == 0 && help.stdout.contains("train") && help.stdout.contains("75"), "\(help.all)")
        let version = try PeoTool.run(["--version"], in: directory)
        #expect(version.status == 0 && version.stdout.contains("."), "\(version.all)")
        let train = try PeoTool.run(["train", "--help"], in: directory)
        #expect(train.status == 0 && train.stdout.contains("--resume"), "\(train.all)")
    }
}
