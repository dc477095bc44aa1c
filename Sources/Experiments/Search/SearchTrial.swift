import Foundation

/// One trial of a search: the configuration with values for the searched settings.
struct SearchTrial {
    var number: Int
    /// In the unit cube.
    var point: [Double]
    /// By key path.
    var values: [(path: [String], value: ConfigNode)]

    init(_ number: Int, at point: [Double], of dimensions: [SearchConfig.Dimension]) {
        self.number = number
        self.point = point
        values = zip(dimensions, point).map { ($0.path, $0.range.value(at: $1)) }
    }

    /// The base with this trial's values.
    /// - Throws: ``ConfigError``.
    func node(_ base: ConfigNode) throws -> ConfigNode {
        var node = base
        for (path, value) in values { try node.apply(ConfigOverride(path: path, value: value)) }
        return node
    }

    /// As text, by key path.
    var settings: [String: String] {
        Dictionary(values.map { ($0.path.joined(separator: "."), $0.value.inline) }) { $1 }
    }

    var words: String {
        values.map { "\($0.path.joined(separator: ".")) = \($0.value.inline)" }.joined(separator: ", ")
    }

    /// With the ends of the key paths, which tell people what they are.
    var shortWords: String {
        values.map { "\(Self.short($0.path)) \($0.value.inline)" }.joined(separator: ", ")
    }

    static func short(_ path: [String]) -> String { path.suffix(2).joined(separator: ".") }
}
