import Foundation

extension LabelledTable {
    /// Reads columns of numbers with blanks between them, the last one the label; lines without any are passed over.
    ///
    /// - Parameters:
    ///   - name: what errors call it.
    ///   - width: how many numbers stand before the label.
    /// - Throws: ``DatasetError`` naming the file, the line and the column.
    init(columns data: Data, named name: String, features width: Int) throws {
        var features: [Float] = []
        var labels: [String] = []
        var lines: [Int] = []
        var line = 0
        for bytes in data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            line += 1
            let fields = bytes.split { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
            guard !fields.isEmpty else { continue }
            guard fields.count == width + 1 else {
                throw DatasetError(
                    .format,
                    "\(name), line \(line): \(fields.count) columns; allowed: \(width + 1), \(width) and the number to predict"
                )
            }
            for (column, field) in fields.enumerated() {
                let text = String(decoding: field, as: UTF8.self)
                guard let value = Self.number(text) else {
                    throw DatasetError(
                        .format,
                        "\(name), line \(line), column \(column + 1): is '\(text.prefix(50))'; allowed: a finite number"
                    )
                }
                if column < width { features.append(value) } else { labels.append(text) }
            }
            lines.append(line)
        }
        try self.init(
            name: name, width: width, features: features, labels: labels, lines: lines,
            labelColumn: "column \(width + 1)")
    }
}

extension Dataset {
    /// A regression on some rows of a table, measured on others; columns and numbers are standardised by the former.
    init(name: String, regression table: LabelledTable, train: [Int], test: [Int]) throws {
        let numbers = try TableNumbers(table, rows: train, standardise: true)
        let all = try DataSplit(
            features: ColumnScale(table, rows: train).applied(to: table), numbers: numbers.values(of: table),
            exampleSize: table.width, named: table.name)
        self.init(
            name: name, kind: .numbers([table.width], predicting: numbers.scale), classNames: [],
            train: all.selecting(train), test: all.selecting(test))
    }
}
