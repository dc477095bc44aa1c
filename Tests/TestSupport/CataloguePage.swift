import Foundation

/// A DocC page of the catalogue, and what its sections lack.
package struct CataloguePage {
    package static let catalog = packageRoot.appendingPathComponent(
        "Sources/PerturbedEquations/PerturbedEquations.docc")
    package static let pictures = catalog.appendingPathComponent("Resources")

    package let text: String

    package init(_ name: String) throws {
        text = try String(
            contentsOf: Self.catalog.appendingPathComponent("\(name).md"), encoding: .utf8)
    }

    package init(text: String) { self.text = text }

    /// Whether it says something of strengths.
    package var hasStrengths: Bool { text.contains("\n## How strong?\n") }

    /// What the section `### … (name)` lacks; nothing where it is complete.
    package func problems(of name: String) -> [String] {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard let start = lines.firstIndex(where: { $0.hasPrefix("### ") && $0.hasSuffix("(\(name))") })
        else {
            return ["\(name): no section \"### … (\(name))\""]
        }
        let body = lines[(start + 1)...].prefix { !$0.hasPrefix("#") }
        var problems: [String] = []
        // The equation stands before everything else.
        let first = body.first { !$0.isEmpty } ?? ""
        if first.isEmpty || first.hasPrefix("*When") || first.hasPrefix("![") {
            problems.append("no equation")
        }
        for words in ["*When*: ", "*When not*: "]
        where !body.contains(where: { $0.hasPrefix(words) && $0.count > words.count }) {
            problems.append("no \(words.dropLast(2))")
        }
        if let picture = body.lazy.compactMap({ $0.firstMatch(of: /^!\[.+\]\(([A-Za-z]+)\)$/)?.output.1 })
            .first
        {
            let file = Self.pictures.appendingPathComponent("\(picture).svg")
            if !FileManager.default.fileExists(atPath: file.path) {
                problems.append("there is no Resources/\(picture).svg")
            }
        } else {
            problems.append("no picture with words")
        }
        return problems.map { "\(name): \($0)" }
    }
}
