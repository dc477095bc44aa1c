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

    /// A name of another family, or of the field, leads to where the thing is.
    @Test(arguments: [
        ("controllers", "learned", "peo list perturbations learned"),
        ("perturbations", "trustRegion", "peo list perturbations anchor"),
        ("schedules", "warmup", "'warmup: n', which each schedule takes"),
        ("rules", "clipValue", "peo list guards clipValue"),
        ("guards", "AGC", "peo list guards clipAdaptive"),
        ("perturbations", "SAM", "peo list parameterPerturbations sam"),
    ])
    func aNameOfElsewhereLeadsThere(family: String, name: String, words: String) throws {
        let output = try PeoTool.run(["list", family, name], in: try TemporaryDirectory())
        #expect(output.status == 65 && output.stderr.contains(words), "\(output.all)")
        // What it points to is there.
        for match in output.stderr.matches(of: /'peo list ([A-Za-z]+) ([A-Za-z]+)'/) {
            let pointed = try PeoTool.run(
                ["list", String(match.output.1), String(match.output.2)], in: try TemporaryDirectory())
            #expect(pointed.status == 0, "\(pointed.all)")
        }
    }

    /// What the list says of NEFTune is a setting that models have.
    @Test func neftuneIsAKeyOfModels() throws {
        let directory = try TemporaryDirectory()
        let entry = try PeoTool.run(["list", "noise", "neftune", "--json"], in: directory).json
        let parameters = try #require(entry["parameters"] as? [[String: Any]])
        let setting = try #require(parameters.first)
        #expect(setting["name"] as? String == "neftune")
        for model in ["gpt", "gpt2", "transformer", "lstm", "gru"] {
            #expect((entry["summary"] as? String)?.contains(model) == true, "\(model)")
            let own = try PeoTool.run(["list", "models", model, "--json"], in: directory).json
            let keys = try #require(own["parameters"] as? [[String: Any]])
            let key = try #require(keys.first { $0["name"] as? String == "neftune" }, "\(model)")
            #expect(key["defaultValue"] as? String == setting["defaultValue"] as? String, "\(model)")
        }
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
