import PerturbedEquations

/// Which runs are listed, and in what order.
public struct RunQuery: Sendable {
    /// The data set's name, or its kind: `digits`, `csv`.
    public var data: String?
    /// The model's name: `cnn`.
    public var model: String?
    public var status: RunRecord.Status?
    /// What to sort by: a metric, best first, or `started`, `name`, `steps`…; newest first unless told.
    public var sort: String?
    public var isReversed = false

    public init() {}

    /// The keys to sort by beside metrics.
    private static let keys = [
        "started", "run", "name", "status", "data", "model", "seed", "steps", "trainingSeconds",
    ]

    /// The runs asked for. Those that lack what is sorted by come last, in either order.
    ///
    /// - Throws: ``UnknownSortKey``.
    public func apply(to records: [RunRecord]) throws -> [RunRecord] {
        let chosen = records.filter { record in
            (data == nil || record.data == data) && (model == nil || record.model == model)
                && (status == nil || record.status == status)
        }
        let key = sort ?? "started"
        let metrics = Set(records.flatMap(\.metrics.keys))
        guard Self.keys.contains(key) || metrics.contains(key) else {
            throw UnknownSortKey(name: key, allowed: Self.keys + metrics.sorted())
        }
        return chosen.sorted { precedes($0, $1, by: key) }
    }

    private func precedes(_ a: RunRecord, _ b: RunRecord, by key: String) -> Bool {
        func ordered<Value: Comparable>(_ x: Value?, _ y: Value?, descending: Bool = false) -> Bool? {
            guard let x, let y else { return x == nil && y == nil ? nil : x != nil }
            return x == y ? nil : (x < y) != (descending != isReversed)
        }
        let decided: Bool? =
            switch key {
            case "started": ordered(a.started, b.started, descending: true)
            case "run": nil
            case "name": ordered(a.name, b.name)
            case "status": ordered(a.status.rawValue, b.status.rawValue)
            case "data": ordered(a.data, b.data)
            case "model": ordered(a.model, b.model)
            case "seed": ordered(a.seed, b.seed)
            case "steps": ordered(a.steps, b.steps)
            case "trainingSeconds": ordered(a.trainingSeconds, b.trainingSeconds)
            default:
                ordered(
                    a.metrics[key], b.metrics[key], descending: CellMetric(name: key).isHigherBetter)
            }
        // Paths tell runs apart that are equal.
        return decided ?? (isReversed ? a.run > b.run : a.run < b.run)
    }
}

/// A key to sort by that no run has.
public struct UnknownSortKey: Error, CustomStringConvertible {
    public let name: String
    public let allowed: [String]

    public var description: String {
        let hint = nearestName(to: name, among: allowed).map { "; did you mean '\($0)'?" } ?? ""
        return "--sort: there is no '\(name)'\(hint) (allowed: \(allowed.joined(separator: ", ")))"
    }
}
