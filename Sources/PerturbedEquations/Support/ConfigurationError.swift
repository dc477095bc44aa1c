/// A setting that cannot be used: which one, what it is, and what is allowed.
public struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Where the setting is, as a path of keys such as `perturbation.0.gaussian.sigma`; may be empty when
    /// the thrower does not know its place (a decoder puts it in front).
    public var path: String
    /// What is wrong, with the value and what is allowed.
    public var message: String

    public init(_ message: String, path: String = "") {
        self.message = message
        self.path = path
    }

    public var description: String {
        path.isEmpty ? message : "\(path): \(message)"
    }

    /// The same error seen from one level further out.
    public func within(_ component: String) -> ConfigurationError {
        var outer = self
        outer.path = path.isEmpty ? component : "\(component).\(path)"
        return outer
    }
}

/// Runs `body`; a `ConfigurationError` in it is told to lie within `component`.
package func within<T>(_ component: String, _ body: () throws -> T) throws -> T {
    do {
        return try body()
    } catch let error as ConfigurationError {
        throw error.within(component)
    }
}

/// Refuses a value that does not satisfy a condition.
package func require(
    _ condition: Bool, _ name: String, is value: some Any, allowed: String
) throws {
    if !condition {
        throw ConfigurationError("is \(value); allowed: \(allowed)", path: name)
    }
}
