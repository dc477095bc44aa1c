import Foundation
import PerturbedEquations
import TestSupport
import Testing

/// What a catalogue entry says is allowed is what the type accepts: every numeric parameter of every type.
@Suite struct RefusalTableTests {
    static let numeric = ["number", "integer", "schedule", "strength"]

    /// Reads the type from settings in which `parameter` has the given value (JSON text).
    static func read(_ subject: Subject, _ parameter: String, _ value: String) throws {
        var settings = try #require(
            JSONSerialization.jsonObject(with: Data(subject.sample.settings.utf8)) as? [String: Any])
        settings[parameter] = "REPLACED"
        let text = String(decoding: try JSONSerialization.data(withJSONObject: settings), as: UTF8.self)
            .replacing("\"REPLACED\"", with: value)
        let type = try #require(subject.family.types.first { $0.catalogueEntry.name == subject.name })
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        try decoder.decode(type, from: Data(text.utf8)).validate()
    }

    /// The values of a parameter as they would be written.
    static func texts(_ value: Double, _ kind: String) -> [String] {
        let text = value.isFinite ? (value == value.rounded() ? "\(Int(value))" : "\(value)") : "\"\(value)\""
        return kind == "strength" ? [text, "{\"relative\": \(text)}"] : [text]
    }

    @Test(arguments: Subject.all)
    func numbers(_ subject: Subject) throws {
        for parameter in subject.entry.parameters where Self.numeric.contains(parameter.kind) {
            let place = "\(subject.name).\(parameter.name)"
            guard let range = AllowedRange(parameter.allowed) else {
                Issue.record("\(place): \"\(parameter.allowed)\" is none of the forms of AllowedRange")
                continue
            }
            for value in range.probes + [.nan, .infinity, -.infinity] where !range.contains(value) {
                for text in Self.texts(value, parameter.kind) {
                    let error = #expect(throws: (any Error).self, "\(place) = \(text)") {
                        try Self.read(subject, parameter.name, text)
                    }
                    if let error {
                        #expect("\(error)".contains(parameter.name), "\(place) = \(text): \(error)")
                    }
                }
            }
            // Where a range is open below, nothing but a number that is not finite is refused.
            if range.contains(-1) { try Self.read(subject, parameter.name, "-1") }
        }
    }

    /// The same of the guards, as keys of `stability`.
    @Test(arguments: Catalogue.guards)
    func guards(_ entry: CatalogueEntry) throws {
        for parameter in entry.parameters where Self.numeric.contains(parameter.kind) {
            let place = "stability.\(entry.name).\(parameter.name)"
            let range = try #require(AllowedRange(parameter.allowed), "\(place): \(parameter.allowed)")
            func read(_ value: String) throws {
                let isWhole = parameter.name == entry.name
                var needed = entry.parameters.filter { $0.defaultValue == nil && $0.name != parameter.name }
                    .map { "\"\($0.name)\": 0.5, " }.joined()
                // The smallest window has no room for the usual history.
                if parameter.name == "window" { needed += "\"minimumHistory\": 2, " }
                let text = isWhole ? value : "{\(needed)\"\(parameter.name)\": \(value)}"
                let decoder = JSONDecoder()
                decoder.nonConformingFloatDecodingStrategy = .convertFromString(
                    positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
                try decoder.decode(Stability.self, from: Data("{\"\(entry.name)\": \(text)}".utf8)).validate()
            }
            for value in range.probes + [.nan, .infinity, -.infinity] {
                for text in Self.texts(value, parameter.kind) {
                    guard !range.contains(value) else {
                        try read(text)
                        continue
                    }
                    let error = #expect(throws: (any Error).self, "\(place) = \(text)") { try read(text) }
                    if let error {
                        #expect("\(error)".contains(parameter.name), "\(place) = \(text): \(error)")
                    }
                }
            }
        }
    }

    /// The tests above can fail, and their reading of the texts is right.
    @Test func ranges() throws {
        let range = try #require(AllowedRange("0 ≤ p < 1"))
        #expect(range.contains(0) && range.contains(0.5) && !range.contains(1) && !range.contains(-0.1))
        #expect(AllowedRange("> 0, finite")?.contains(0) == false)
        #expect(AllowedRange("≥ 1: a whole number")?.contains(1) == true)
        #expect(AllowedRange("finite")?.contains(-7) == true)
        #expect(AllowedRange("2 … window")?.contains(1) == false)
        #expect(AllowedRange("something") == nil)
        let gaussian = try #require(Subject.all.first { $0.name == "gaussian" })
        #expect(throws: ConfigurationError.self) { try Self.read(gaussian, "sigma", "-1") }
        try Self.read(gaussian, "sigma", "1")
    }
}
