import PerturbedEquations

/// A data set of the catalogue with fewer training examples; the test data stay whole.
///
/// Which ones depends on the data set's size and `count` alone: the first `count` of
/// `NoiseKey(seed: 0).derived("subset").permutation(of: n)`, in their order, so that a smaller subset is part of a larger
/// one, and runs with different seeds train on the same examples.
///
/// ```yaml
/// data: {subset: {of: mnist, count: 2000}}
/// ```
public struct SubsetData: DataSource, Equatable {
    /// The name of the data set.
    public var of: String
    /// How many training examples stay: from 1 to all.
    public var count: Int

    private enum CodingKeys: String, CodingKey { case of, count }

    public init(from decoder: any Decoder) throws {
        let settings = try SourceSettings(decoder, keyedBy: CodingKeys.self)
        of = try settings.value(.of)
        count = try settings.value(.count)
        let names = DatasetCatalogue.entries.map(\.name)
        let known = DatasetCatalogue.entries.first { $0.name == of }
        let hint = nearestName(to: of, among: names).map { "; did you mean '\($0)'?" } ?? ""
        try settings.check(
            known != nil, .of, "is '\(of)'\(hint); allowed: \(names.joined(separator: ", "))")
        let most = known?.trainCount ?? 0
        try settings.check(
            (1...most).contains(count), .count,
            "is \(count); allowed: 1 to \(most), the training examples of \(of)")
    }

    public static let entry = CatalogueEntry(
        name: "subset", summary: "a data set with fewer training examples",
        equation:
            "the first count of a fixed random order of the n training examples; the test data stay whole",
        parameters: [
            .init(
                "of", "name", allowed: DatasetCatalogue.entries.map(\.name).joined(separator: ", "),
                "the data set"),
            .init(
                "count", "integer", allowed: "1 to the number that there are", "training examples that stay"),
        ], source: "the data set's own")

    public func load(from locations: DataLocations) throws -> Dataset {
        let whole = try DatasetCatalogue.load(of, from: locations)
        guard count <= whole.train.count else {
            throw DatasetError(
                .request,
                "a subset of \(count) examples cannot be taken from the \(whole.train.count) training examples of "
                    + "'\(of)' in these files")
        }
        let order = NoiseKey(seed: 0).derived("subset").permutation(of: whole.train.count)
        return Dataset(
            name: "\(of)-\(count)", kind: whole.kind, classNames: whole.classNames,
            train: whole.train.selecting(order.prefix(count).sorted()), test: whole.test,
            warnings: whole.warnings, vocabulary: whole.vocabulary)
    }
}
