/// Parameters with their own rule or perturbation.
///
/// A parameter belongs to the first group one of whose patterns its name matches; `*` stands for any run of
/// characters. What a group leaves out it takes from the equation. The stability controller is common to all.
///
/// ```yaml
/// groups:
///   - parameters: ["*.bias"]
///     perturbation: []              # no noise on biases
///   - parameters: ["output.*"]
///     rule: {sgd: {learningRate: 0.01}}
/// ```
public struct ParameterGroup: Sendable, Codable {
    /// Names or patterns.
    public var parameters: [String]
    /// nil: the equation's.
    public var rule: (any UpdateRule)?
    /// nil: the equation's; empty: none.
    public var perturbation: [any Perturbation]?

    public init(
        _ parameters: [String], rule: (any UpdateRule)? = nil, perturbation: [any Perturbation]? = nil
    ) {
        self.parameters = parameters
        self.rule = rule
        self.perturbation = perturbation
    }

    private enum CodingKeys: String, CodingKey {
        case parameters, rule, perturbation
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        parameters = try container.decode([String].self, forKey: .parameters)
        rule = try container.decodeIfPresent(NamedRule.self, forKey: .rule)?.rule
        perturbation = try container.decodeIfPresent(NamedPerturbations.self, forKey: .perturbation)?.terms
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(parameters, forKey: .parameters)
        try container.encodeIfPresent(rule.map(NamedRule.init), forKey: .rule)
        try container.encodeIfPresent(perturbation.map(NamedPerturbations.init), forKey: .perturbation)
    }

    /// Whether `name` matches one of the patterns.
    package func matches(_ name: String) -> Bool {
        parameters.contains { Self.match($0, name) }
    }

    /// Whether `name` matches `pattern`, in which `*` stands for any run of characters.
    static func match(_ pattern: String, _ name: String) -> Bool {
        let p = Array(pattern.unicodeScalars)
        let n = Array(name.unicodeScalars)
        var i = 0
        var j = 0
        var star: (pattern: Int, name: Int)?
        while j < n.count {
            if i < p.count && p[i] == "*" {
                star = (i, j)
                i += 1
            } else if i < p.count && p[i] == n[j] {
                i += 1
                j += 1
            } else if let back = star {
                star = (back.pattern, back.name + 1)
                i = back.pattern + 1
                j = back.name + 1
            } else {
                return false
            }
        }
        return p[i...].allSatisfy { $0 == "*" }
    }
}
