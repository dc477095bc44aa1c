import PerturbedEquations

/// The features of examples, a row each: dense, bits where all are 0 or 1, or sparse with the entries that are not zero.
///
/// ```swift
/// let dense = try DesignMatrix<Float>(rows: [0.2, 1.4, -0.3, 0.9], columns: 2)
/// // 1 in the columns 0 and 2 of the first row, and in column 1 of the second.
/// let sparse = try DesignMatrix<Float>(starts: [0, 2, 3], indices: [0, 2, 1], columns: 3)
/// ```
///
/// A step costs in proportion to what is stored: ``compact()`` takes the cheapest form. All chains read the same memory.
public struct DesignMatrix<Scalar: EquationScalar>: Sendable {
    public enum Form: String, Sendable {
        case dense, bits, sparse
    }

    /// n, and d without the intercept.
    public let count: Int
    public let columns: Int
    public let form: Form
    private let storage: DesignStorage<Scalar>

    /// Dense rows, one after the other.
    ///
    /// - Throws: `ConfigurationError` where the numbers do not fill rows, or one of them is not finite.
    public init(rows: [Scalar], columns: Int) throws {
        try Self.requireColumns(columns)
        try require(
            !rows.isEmpty && rows.count.isMultiple(of: columns), "rows", is: "\(rows.count) numbers",
            allowed: "a positive multiple of \(columns), the columns")
        if let place = rows.firstIndex(where: { !$0.isFinite }) {
            throw ConfigurationError(
                "has \(rows[place]) in row \(place / columns), column \(place % columns); allowed: finite numbers",
                path: "rows")
        }
        (count, self.columns, form) = (rows.count / columns, columns, .dense)
        storage = DesignStorage(values: count * Self.stride(columns))
        for (place, value) in rows.enumerated() {
            storage.values[place / columns * Self.stride(columns) + place % columns] = value
        }
    }

    /// Sparse rows, in the compressed form of SciPy's `csr_matrix`: row i has the entries starts[i] ..< starts[i + 1].
    ///
    /// - Parameters:
    ///   - starts: n + 1 places, from 0 to the number of entries, none before the one in front of it.
    ///   - indices: the column of each entry, from 0.
    ///   - values: of each entry; nil where all are 1.
    ///   - columns: d.
    /// - Throws: `ConfigurationError` where they do not fit together, or a value is not finite.
    public init(starts: [Int], indices: [Int], values: [Scalar]? = nil, columns: Int) throws {
        try Self.requireColumns(columns)
        try require(
            starts.count >= 2 && starts[0] == 0 && starts.last == indices.count, "starts",
            is: "\(starts.count) places from \(starts.first ?? 0) to \(starts.last ?? 0)",
            allowed: "two at least, from 0 to \(indices.count), the entries")
        if let row = (1..<starts.count).first(where: { starts[$0] < starts[$0 - 1] }) {
            throw ConfigurationError(
                "falls from \(starts[row - 1]) to \(starts[row]) after row \(row - 1); allowed: places that do not fall",
                path: "starts")
        }
        if let place = indices.firstIndex(where: { !(0..<columns).contains($0) }) {
            throw ConfigurationError(
                "has the column \(indices[place]) at entry \(place); allowed: 0 … \(columns - 1)",
                path: "indices")
        }
        if let values {
            try require(
                values.count == indices.count, "values", is: "\(values.count) numbers",
                allowed: "\(indices.count), one for each entry")
            if let place = values.firstIndex(where: { !$0.isFinite }) {
                throw ConfigurationError(
                    "has \(values[place]) at entry \(place); allowed: finite numbers", path: "values")
            }
        }
        let given = values.flatMap { $0.allSatisfy { $0 == 1 } ? nil : $0 }
        (count, self.columns, form) = (starts.count - 1, columns, .sparse)
        storage = DesignStorage(
            values: given?.count ?? 0, indices: indices.count, starts: starts.count, isOfOnes: given == nil)
        for (place, start) in starts.enumerated() { storage.starts[place] = Int64(start) }
        for (place, index) in indices.enumerated() { storage.indices[place] = UInt32(index) }
        for (place, value) in (given ?? []).enumerated() { storage.values[place] = value }
    }

    /// Rows of bits, word by word.
    private init(bits: [UInt16], count: Int, columns: Int) {
        (self.count, self.columns, form) = (count, columns, .bits)
        storage = DesignStorage(bits: bits.count)
        _ = storage.bits.update(fromContentsOf: bits)
    }

    /// Dense rows in the cheapest form: sparse where few numbers are not zero, bits where all are 0 or 1, else as they are.
    ///
    /// A sparse entry, one at a time, costs as much as about 12 dense numbers by vectors, or 48 bits. The choice is a function of
    /// the numbers alone, since sparse rows are added in another order than dense ones and bits.
    public func compact() throws -> DesignMatrix {
        guard form == .dense else { return self }
        let stride = Self.stride(columns)
        let entries = storage.values.count { $0 != 0 }
        let isBinary = storage.values.allSatisfy { $0 == 0 || $0 == 1 }
        if (isBinary ? 48 : 12) * entries < count * columns {
            var (starts, indices, values) = ([0], [Int](), [Scalar]())
            for row in 0..<count {
                for column in 0..<columns where storage.values[row * stride + column] != 0 {
                    indices.append(column)
                    values.append(storage.values[row * stride + column])
                }
                starts.append(indices.count)
            }
            return try DesignMatrix(starts: starts, indices: indices, values: values, columns: columns)
        }
        guard isBinary else { return self }
        var bits = [UInt16](repeating: 0, count: count * stride / 16)
        for place in storage.values.indices where storage.values[place] == 1 {
            bits[place / 16] |= 1 << (place % 16)
        }
        return DesignMatrix(bits: bits, count: count, columns: columns)
    }

    /// From one dense row to the next.
    private static func stride(_ columns: Int) -> Int { (columns + 15) / 16 * 16 }

    private static func requireColumns(_ columns: Int) throws {
        try require((1..<(1 << 31)).contains(columns), "columns", is: columns, allowed: "1 … 2³¹ − 1")
    }

    /// What the kernels read, with these targets.
    func linearRows(targets: UnsafePointer<Scalar>) -> LinearRows<Scalar> {
        switch form {
        case .dense:
            LinearRows(
                values: UnsafePointer(storage.values.baseAddress!), width: columns,
                stride: Self.stride(columns), targets: targets)
        case .bits:
            LinearRows(
                bits: UnsafePointer(storage.bits.baseAddress!), width: columns, stride: Self.stride(columns),
                targets: targets)
        case .sparse:
            LinearRows(
                starts: UnsafePointer(storage.starts.baseAddress!),
                columns: UnsafePointer(storage.indices.baseAddress!),
                values: storage.isOfOnes ? nil : UnsafePointer(storage.values.baseAddress!), width: columns,
                targets: targets)
        }
    }
}
