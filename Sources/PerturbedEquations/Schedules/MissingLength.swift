import Foundation

/// A schedule whose length was left out, or is in epochs: where it stands in what is being encoded.
struct MissingLength: Error {
    let path: [any CodingKey]
}

extension CodingUserInfoKey {
    /// Set, a schedule without a length throws `MissingLength` instead of being encoded.
    static let refusesMissingLengths = CodingUserInfoKey(
        rawValue: "PerturbedEquations.refusesMissingLengths")!
}

extension PerturbedEquation {
    /// Where the first schedule without a length is written, as `rule.sgd.learningRate`; "" where an equation cannot be
    /// written down (with a closure in it) before that.
    var placeOfMissingLength: String {
        let encoder = JSONEncoder()
        encoder.userInfo[.refusesMissingLengths] = true
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        do {
            _ = try encoder.encode(self)
            return ""
        } catch let missing as MissingLength {
            return missing.path.map { key in key.intValue.map { "\($0)" } ?? key.stringValue }
                .joined(separator: ".")
        } catch {
            return ""
        }
    }
}
