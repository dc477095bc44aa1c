import Experiments
import Foundation
import PerturbedEquations
import TestSupport
import Testing

/// The pictures of the catalogue's pages are those that `scripts/pictures` draws.
@Suite struct PicturesTests {
    /// What the script draws: a name and its settings.
    static let drawn: [(name: String, settings: String)] = {
        let script = packageRoot.appendingPathComponent("scripts/pictures")
        guard let text = try? String(contentsOf: script, encoding: .utf8) else { return [] }
        return text.split(separator: "\n").compactMap { line in
            guard let match = line.firstMatch(of: /^draw ([A-Za-z]+) (.+)$/) else { return nil }
            return (String(match.output.1), match.output.2.trimmingCharacters(in: ["'"]))
        }
    }()

    @Test func everythingThatCanBeDrawnIs() {
        let names = CataloguePicture.drawable.flatMap { $0.entries.map(\.name) }
        #expect(Set(names).count == names.count, "two things of one name: the command could draw one only")
        #expect(Self.drawn.map(\.name).sorted() == names.sorted())
    }

    @Test(arguments: drawn.indices)
    func theFileIsWhatTheCommandDraws(_ index: Int) throws {
        let (name, settings) = Self.drawn[index]
        let file = CataloguePage.pictures.appendingPathComponent("\(name).svg")
        let kept = try String(contentsOf: file, encoding: .utf8)
        let svg = try CataloguePicture.svg(yaml: "\(name): \(settings)")
        // Not #expect(svg == kept): its message would be both.
        let isSame = svg == kept || Self.agree(svg, kept)
        #expect(isSame, "\(name).svg is another picture: run scripts/pictures, and look at it")
        #expect(!svg.contains("nan") && !svg.contains("inf\""), "\(name)")
    }

    /// Whether two pictures differ by no more than the last digit of some places: exp and cos have other last bits on other
    /// machines.
    private static func agree(_ a: String, _ b: String) -> Bool {
        let number = /-?[0-9]+\.[0-9]/
        let (x, y) = (a.matches(of: number), b.matches(of: number))
        guard x.count == y.count, a.replacing(number, with: "") == b.replacing(number, with: "") else {
            return false
        }
        return zip(x, y).allSatisfy { abs((Double($0.output) ?? 0) - (Double($1.output) ?? 1)) < 0.11 }
    }

    @Test func picturesThatDifferVisiblyDoNotAgree() throws {
        let a = try CataloguePicture.svg(yaml: "sgd: {learningRate: 0.1}")
        #expect(Self.agree(a, a))
        let b = try CataloguePicture.svg(yaml: "sgd: {learningRate: 0.12}")
        #expect(!Self.agree(a, b))
    }

    /// A picture is of the settings that are given, not of the thing's name.
    @Test(arguments: [
        ("sam: {rho: 0.5}", "sam: {rho: 0.1}"), ("cosine: {from: 1, to: 0}", "cosine: {from: 1, to: 0.5}"),
        ("clipValue: 1", "clipValue: 2"),
        ("plateau: {window: 10, patience: 1}", "plateau: {window: 20, patience: 1}"),
        ("sgd: {learningRate: 0.1}", "sgd: {learningRate: 0.05}"),
        ("neftune: {neftune: 1}", "neftune: {neftune: 2}"),
        ("corrupt: {blur: 1}", "corrupt: {blur: 5}"),
    ])
    func settingsShow(_ a: String, _ b: String) throws {
        let (first, second) = (try CataloguePicture.svg(yaml: a), try CataloguePicture.svg(yaml: b))
        let differ = first != second
        #expect(differ, "\(a) and \(b)")
        let repeats = try CataloguePicture.svg(yaml: a) == first
        #expect(repeats, "\(a)")
    }

    @Test(arguments: [
        ("sammy: {rho: 1}", "did you mean \"sam\"?"), ("sam: {rho: -1}", "rho"),
        ("clipValue: 0", "clipValue"),
        ("linear: {from: 1, too: 2}", "too"), ("neftune: {neftune: -1}", "neftune"),
        ("[1, 2]", "one thing to draw"),
        ("labelNoise: {rate: 2}", "rate"),
    ])
    func whatCannotBeDrawnIsRefused(_ text: String, _ words: String) {
        let error = #expect(throws: (any Error).self) { try CataloguePicture.svg(yaml: text) }
        #expect(error.map { "\($0)" }?.contains(words) == true, "\(text): \(error.map { "\($0)" } ?? "")")
    }

    /// Data and activations have a page like the equation's parts.
    @Test func everyNoiseHasACompleteSection() throws {
        let page = try CataloguePage("ActivationsAndData")
        for entry in CatalogueFamily.noise.entries { #expect(page.problems(of: entry.name) == []) }
        #expect(page.hasStrengths)
    }
}
