/// The labels of a table that are numbers to predict.
struct TableNumbers {
    let scale: TargetScale

    /// - Throws: ``DatasetError`` for a label that is no number, naming its place.
    init(_ table: LabelledTable, rows: [Int], standardise: Bool) throws {
        let values = try rows.map { Double(try Self.number(table, $0)) }
        guard standardise else {
            scale = TargetScale()
            return
        }
        let mean = values.reduce(0, +) / Double(values.count)
        let deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count))
            .squareRoot()
        scale = TargetScale(mean: mean, deviation: deviation > 0 ? deviation : 1)
    }

    /// Each row's number, standardised.
    func values(of table: LabelledTable) throws -> [Float] {
        try table.labels.indices.map {
            Float((Double(try Self.number(table, $0)) - scale.mean) / scale.deviation)
        }
    }

    private static func number(_ table: LabelledTable, _ row: Int) throws -> Float {
        guard let value = LabelledTable.number(table.labels[row]) else {
            throw table.badLabel(row, allowed: "finite numbers, since the target is a regression")
        }
        return value
    }
}

/// What a table's labels are.
enum TableLabels {
    case classes(TableClasses)
    case numbers(TableNumbers)

    var kind: TargetKind {
        switch self {
        case .classes(let classes): .oneClass(of: classes.names.count)
        case .numbers(let numbers): .number(numbers.scale)
        }
    }

    var classNames: [String] { if case .classes(let classes) = self { classes.names } else { [] } }
}
