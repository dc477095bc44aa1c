/// The mean and the deviation of each column over some rows.
struct ColumnScale {
    private let mean: [Double]
    private let factor: [Double]

    init(_ table: LabelledTable, rows: [Int]) {
        let width = table.width
        var mean = [Double](repeating: 0, count: width)
        var square = mean
        for row in rows {
            for column in 0..<width { mean[column] += Double(table.features[row * width + column]) }
        }
        for column in 0..<width { mean[column] /= Double(rows.count) }
        for row in rows {
            for column in 0..<width {
                let distance = Double(table.features[row * width + column]) - mean[column]
                square[column] += distance * distance
            }
        }
        self.mean = mean
        factor = zip(square, mean).map { sum, mean in
            let deviation = (sum / Double(rows.count)).squareRoot()
            // What a mean of equal numbers is off by is no deviation: 32-bit floats that differ, differ by 6·10⁻⁸.
            return deviation > 1e-12 * abs(mean) ? 1 / deviation : 0
        }
    }

    func applied(to table: LabelledTable) -> [Float] {
        let width = table.width
        return table.features.indices.map { place in
            Float((Double(table.features[place]) - mean[place % width]) * factor[place % width])
        }
    }
}
