import Statistics

extension ReportChart.Row {
    /// How much farther than the middle row a row is from the reference, to be left out of the axis.
    private static let far = 10.0

    /// The range of a forest plot's axis without the rows that broke, where those would flatten all others.
    ///
    /// - Returns: nil where every row fits; else the range of those that do, and the names of the rows beyond it.
    static func near(_ rows: [ReportChart.Row], to reference: Double) -> (range: [Double], beyond: [String])?
    {
        func values(_ row: ReportChart.Row) -> [Double] {
            row.points + [row.mean, row.lower, row.upper].compactMap { $0 }
        }
        let drawn = rows.filter { !values($0).isEmpty }
        let reaches = drawn.map { values($0).map { abs($0 - reference) }.max() ?? 0 }
        let middle = Sample.quantile(0.5, ofSorted: reaches.sorted())
        guard drawn.count > 2, middle > 0 else { return nil }
        // Only what is known to be worse may be beyond an edge: a gain is always in sight.
        let beyond = zip(drawn, reaches).filter { $0.tone == .bad && $1 > far * middle }.map(\.0.name)
        guard !beyond.isEmpty else { return nil }
        let inside = drawn.filter { !beyond.contains($0.name) }.flatMap(values) + [reference]
        let (least, most) = (inside.min()!, inside.max()!)
        let margin = (most - least) / 20
        return ([(least - margin).short6, (most + margin).short6], beyond)
    }
}
