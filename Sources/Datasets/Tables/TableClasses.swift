/// What the labels of a table mean.
struct TableClasses {
    let names: [String]
    /// By the label as it is written; numbers that are equal are one class.
    private let numbers: [String: Int64]
    private let areNumbers: Bool
    private let isCounted: Bool

    init(_ table: LabelledTable, rows: [Int], count: Int?) throws {
        if let count {
            names = (0..<count).map(String.init)
            areNumbers = true
            isCounted = true
        } else {
            let written = Set(rows.map { table.labels[$0] })
            let areNumbers = written.allSatisfy { LabelledTable.number($0) != nil }
            self.areNumbers = areNumbers
            isCounted = false
            names =
                areNumbers
                ? Set(written.map { Self.canonical($0) }).sorted { Double($0)! < Double($1)! }
                : written.sorted { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }
            guard (2...TableOptions.classLimit).contains(names.count) else {
                throw DatasetError(
                    .value,
                    "\(table.name), \(table.labelColumn): the labels of the training part have \(names.count) different "
                        + "value\(names.count == 1 ? "" : "s"); allowed: 2 to \(TableOptions.classLimit) classes"
                )
            }
        }
        numbers = Dictionary(uniqueKeysWithValues: zip(names, (0 as Int64)...))
    }

    /// One text for each number: 1, 1.0 and +1 are the same class.
    private static func canonical(_ text: String) -> String {
        guard let value = Double(text) else { return text }
        if let whole = Int(exactly: value) { return String(whole) }
        return String(value)
    }

    /// The class of each row.
    func numbers(of table: LabelledTable) throws -> [Int64] {
        try table.labels.indices.map { row in
            let label = table.labels[row]
            let key = areNumbers && LabelledTable.number(label) != nil ? Self.canonical(label) : label
            guard let number = numbers[key] else {
                throw table.badLabel(
                    row,
                    allowed: isCounted
                        ? "whole numbers from 0 to \(names.count - 1)"
                        : "the labels of the training part (\(names.prefix(20).joined(separator: ", "))"
                            + "\(names.count > 20 ? ", …" : ""))")
            }
            return number
        }
    }
}
