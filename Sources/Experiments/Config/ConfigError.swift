/// A configuration that cannot be used: which value, where it stands, and what would be allowed.
public struct ConfigError: Error, CustomStringConvertible, Sendable {
    /// A stable name of the kind of mistake.
    public enum Code: String, Sendable, Codable {
        /// The text is not YAML, or is more than a configuration may be.
        case syntax
        /// A key that nothing reads.
        case unknownKey
        /// A key that must be there is not.
        case missingKey
        /// A value of another type than the one expected.
        case wrongType
        /// A value of the right type that is not allowed.
        case badValue
        /// A `--set` argument that cannot be applied.
        case badOverride
    }

    public var code: Code
    /// The file's path as it was given; nil for text from elsewhere.
    public var file: String?
    public var origin: ConfigNode.Origin
    /// The key path, in the notation of `--set`: `training.epochs`, `perturbation.0.gaussian.sigma`.
    public var keyPath: String
    /// What is wrong and what is allowed.
    public var problem: String

    public init(
        _ code: Code, _ problem: String, keyPath: String = "", origin: ConfigNode.Origin = .program,
        file: String? = nil
    ) {
        self.code = code
        self.problem = problem
        self.keyPath = keyPath
        self.origin = origin
        self.file = file
    }

    /// `file:line: key.path: problem`, or `--set key.path: problem`.
    public var description: String {
        switch origin {
        case .override(let path):
            return "--set \(path): " + (keyPath.isEmpty || keyPath == path ? "" : "\(keyPath): ") + problem
        case .line(let line):
            return "\(file ?? "line "):\(line): ".replacingOccurrences(of: "line :", with: "line ")
                + (keyPath.isEmpty ? "" : "\(keyPath): ") + problem
        case .program:
            return (file.map { "\($0): " } ?? "") + (keyPath.isEmpty ? "" : "\(keyPath): ") + problem
        }
    }
}
