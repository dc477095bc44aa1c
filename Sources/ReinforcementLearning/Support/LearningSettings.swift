import PerturbedEquations
import TorchNN

/// The checks of settings that several algorithms share.
enum LearningSettings {
    static func hidden(_ hidden: [Int]) throws {
        try require(
            hidden.count <= 100 && hidden.allSatisfy { (1...1_000_000).contains($0) }, "hidden", is: hidden,
            allowed: "up to 100 numbers from 1 to 1000000")
    }

    static func discount(_ discount: Double) throws {
        try require((0...1).contains(discount), "discount", is: discount, allowed: "0 to 1")
    }

    static func count(_ name: String, _ count: Int) throws {
        try require(count >= 1, name, is: count, allowed: "a whole number ≥ 1")
    }
}

extension CatalogueEntry.Parameter {
    static func hidden(_ value: String) -> Self {
        .init(
            "hidden", "list of whole numbers", default: value,
            allowed: "up to 100 numbers from 1 to 1000000",
            "widths of the hidden layers")
    }

    static func activation(_ value: String) -> Self {
        .init(
            "activation", "name", default: value,
            allowed: Activation.allCases.map(\.rawValue).joined(separator: ", "),
            "the function after each hidden layer")
    }

    static func discount(_ value: String) -> Self {
        .init("discount", "number", default: value, allowed: "0 … 1", "γ")
    }

    static func count(_ name: String, _ value: String, unit: String = "1", _ meaning: String) -> Self {
        .init(name, "integer", default: value, allowed: "≥ 1", unit: unit, meaning)
    }

    static func exploration(_ value: String, _ allowed: String, _ meaning: String) -> Self {
        .init("exploration", "exploration", default: value, allowed: allowed, meaning)
    }
}
