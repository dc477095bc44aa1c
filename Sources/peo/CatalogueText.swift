import Experiments
import PerturbedEquations

/// The catalogue as text.
enum CatalogueText {
    /// A family, a line for each entry.
    static func table(_ family: CatalogueFamily, width: Int) -> String {
        let entries = family.entries
        let column = (entries.map(\.name.count).max() ?? 0) + 2
        let lines = entries.map { entry in
            let line = "  " + entry.name.padded(column) + entry.summary
            return line.count <= width ? line : line.prefix(max(1, width - 1)) + "…"
        }
        return ([family.rawValue] + lines + (family.note.map { ["  " + $0] } ?? [])).joined(separator: "\n")
    }

    /// Everything about one entry.
    static func full(_ entry: CatalogueEntry, in family: CatalogueFamily) -> String {
        var lines = ["\(entry.name) (\(family.rawValue))", "", entry.summary, "", "  \(entry.equation)", ""]
        if !entry.parameters.isEmpty {
            let names = (entry.parameters.map(\.name.count).max() ?? 0) + 2
            lines.append("Parameters")
            for parameter in entry.parameters {
                let unit = parameter.unit == "1" ? "" : ", in \(parameter.unit)"
                lines.append("  " + parameter.name.padded(names) + parameter.meaning)
                lines.append(
                    "  " + "".padded(names)
                        + "\(parameter.kind)\(unit); allowed: \(parameter.allowed); "
                        + (parameter.defaultValue.map { "default: \($0)" } ?? "no default"))
            }
            lines.append("")
        }
        if let note = family.note { lines += [note, ""] }
        lines.append("Source: \(entry.source)")
        return lines.joined(separator: "\n")
    }
}
