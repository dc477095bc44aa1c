/// The same value at every step: f(t) = c.
public struct ConstantSchedule: Schedule, Hashable {
    public var value: Double

    public init(_ value: Double) {
        self.value = value
    }

    public func value(at step: Int) -> Double { value }

    public static let catalogueEntry = CatalogueEntry(
        name: "constant", summary: "The same value at every step.", equation: "f(t) = c",
        parameters: [
            .init("value", "number", allowed: "finite", unit: "that of the setting", "c")
        ],
        source: "none needed")

    public func validate() throws {
        try require(value.isFinite, "value", is: value, allowed: "a finite number")
    }
}
