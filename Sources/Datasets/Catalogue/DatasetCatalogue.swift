import PerturbedEquations

/// The data sets that can be named in a configuration.
///
/// To add one, write its entry in a file of its own, and its name in this list.
public enum DatasetCatalogue {
    public static let entries: [DatasetEntry] = [.digits, .mnist, .fashionMNIST, .cifar10, .cifar100, .a9a]

    /// The entry of that name.
    ///
    /// - Throws: ``DatasetError`` with the nearest name and all names if there is none.
    public static func entry(named name: String) throws -> DatasetEntry {
        try find(name, in: entries.map { ($0.name, $0) })
    }

    /// What has that name, or an error with the nearest name and all names.
    static func find<Found>(_ name: String, in known: [(name: String, value: Found)]) throws -> Found {
        if let found = known.first(where: { $0.name == name }) { return found.value }
        let names = known.map(\.name)
        let hint = nearestName(to: name, among: names).map { "; did you mean '\($0)'?" } ?? ""
        throw DatasetError(
            .unknown, "unknown data set '\(name)'\(hint) (known: \(names.joined(separator: ", ")))")
    }

    /// Loads the data set of that name; see ``DatasetEntry/load(from:)``.
    public static func load(_ name: String, from locations: DataLocations = DataLocations()) throws -> Dataset
    {
        try entry(named: name).load(from: locations)
    }
}
