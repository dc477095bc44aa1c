/// What `peo list` says of a type: its equation, its parameters with units and defaults, its source.
public struct CatalogueEntry: Hashable, Sendable, Codable {
    /// One parameter of a type, as it is written in a configuration.
    public struct Parameter: Hashable, Sendable, Codable {
        public let name: String
        /// The kind of value: "schedule", "strength", "number", "integer", "boolean"…
        public let kind: String
        /// The default as it would be written; nil where a value must be given.
        public let defaultValue: String?
        /// The range or the choices that are allowed.
        public let allowed: String
        /// The unit, such as "gradient units (standard deviation)"; "1" for a pure number.
        public let unit: String
        public let meaning: String

        public init(
            _ name: String, _ kind: String, default defaultValue: String? = nil, allowed: String,
            unit: String = "1", _ meaning: String
        ) {
            self.name = name
            self.kind = kind
            self.defaultValue = defaultValue
            self.allowed = allowed
            self.unit = unit
            self.meaning = meaning
        }
    }

    /// The name in a configuration.
    public let name: String
    /// One line.
    public let summary: String
    /// The equation, in Unicode.
    public let equation: String
    public let parameters: [Parameter]
    /// Author, year, title; or why none is needed.
    public let source: String

    public init(
        name: String, summary: String, equation: String, parameters: [Parameter], source: String
    ) {
        self.name = name
        self.summary = summary
        self.equation = equation
        self.parameters = parameters
        self.source = source
    }
}

/// A type that a configuration can name.
public protocol Catalogued: Sendable, Codable {
    static var catalogueEntry: CatalogueEntry { get }
    /// Refuses settings outside their range. Called after decoding and before a run.
    ///
    /// - Throws: `ConfigurationError` naming the setting, its value and what is allowed.
    func validate() throws
}

extension Catalogued {
    public func validate() throws {}
}
