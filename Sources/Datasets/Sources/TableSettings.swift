import PerturbedEquations

/// What every kind of table has in its settings.
public struct TableSettings: Sendable, Equatable {
    /// The file to train on.
    public var train: String
    /// The file to test on; without it, a share of `train`.
    public var test: String?
    /// See `TableOptions`.
    public var options: TableOptions

    enum CodingKeys: String, CodingKey { case train, test, testFraction, target, classes, standardise }

    init(from decoder: any Decoder, standardise: Bool) throws {
        let settings = try SourceSettings(decoder, keyedBy: CodingKeys.self)
        train = try settings.value(.train)
        test = try settings.optional(.test)
        let fraction: Double? = try settings.optional(.testFraction)
        options = TableOptions(
            target: try settings.value(.target, default: .classes), classes: try settings.optional(.classes),
            testFraction: try settings.share(.testFraction, default: 0.2),
            standardise: try settings.value(.standardise, default: standardise))
        try settings.check(
            fraction == nil || test == nil, .testFraction, "is given, and 'test' too; give one of the two")
        if let classes = options.classes {
            try settings.check(
                options.target == .classes, .classes,
                "is given, and the target is a regression, which has none; leave it out")
            try settings.check(
                (2...100_000).contains(classes), .classes, "is \(classes); allowed: 2 to 100000")
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(train, forKey: .train)
        try container.encodeIfPresent(test, forKey: .test)
        if test == nil { try container.encode(options.testFraction, forKey: .testFraction) }
        try container.encode(options.target, forKey: .target)
        try container.encodeIfPresent(options.classes, forKey: .classes)
        try container.encode(options.standardise, forKey: .standardise)
    }

    /// The same with full paths.
    func resolved() -> TableSettings {
        var settings = self
        settings.train = fullPath(train)
        settings.test = test.map(fullPath)
        return settings
    }

    /// The catalogue's words for the common settings.
    static func parameters(standardise: Bool) -> [CatalogueEntry.Parameter] {
        [
            .init("train", "path", allowed: "a file, gzip or not", "the rows to train on"),
            .init(
                "test", "path", default: "none", allowed: "a file, gzip or not",
                "the rows to test on; without it, a share of train"),
            .init(
                "testFraction", "number", default: "0.2", allowed: "0 < share < 1",
                "the share of train that is for testing where there is no test; the same rows in every run"),
            .init(
                "target", "name", default: "classes", allowed: "classes, regression",
                "what the labels are: classes, or numbers to predict"),
            .init(
                "classes", "integer", default: "none", allowed: "2 to 100000",
                "labels are 0 to classes − 1; else the distinct labels of the training part, at most "
                    + "\(TableOptions.classLimit)"),
            .init(
                "standardise", "boolean", default: "\(standardise)", allowed: "true, false",
                "whether columns, and the numbers to predict, become (x − mean)/deviation, both of the training part; rmse "
                    + "and mae stay in the labels' unit"),
        ]
    }
}
