/// Several terms in turn, each for n steps.
///
/// δ(t) = Pₖ, k = ⌊t/n⌋ mod the number of terms.
///
/// Each has its own noise, memory and statistics; see `CompositePerturbation`.
///
/// Source: none needed.
public struct Alternating: CompositePerturbation {
    public var terms: [any Perturbation]
    /// n; ≥ 1, default 1.
    public var every: Int

    public init(_ terms: [any Perturbation], every: Int = 1) {
        self.terms = terms
        self.every = every
    }

    private enum CodingKeys: String, CodingKey {
        case terms, every
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            try container.decode(NamedPerturbations.self, forKey: .terms).terms,
            every: try container.decode(.every, default: 1))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(NamedPerturbations(terms), forKey: .terms)
        try container.encode(every, forKey: .every)
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "alternating", summary: "Several terms in turn.", equation: "δ(t) = Pₖ, k = ⌊t/n⌋ mod K",
        parameters: [
            .init("terms", "list of perturbations", allowed: "at least one", "P₀, P₁…"),
            .init("every", "integer", default: "1", allowed: "≥ 1", unit: "steps", "n, how long each lasts"),
        ],
        source: "none needed")

    public var parts: [any Perturbation] { terms }
    public func path(ofPart number: Int) -> String { "terms.\(number)" }

    public func weight(ofPart number: Int, at step: Int, word: UInt64) -> Double {
        step / every % terms.count == number ? 1 : 0
    }

    public func isZero(at step: Int) -> Bool { terms[step / every % terms.count].isZero(at: step) }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        for index in terms.indices { try terms[index].forEachSchedule(body) }
    }

    public func validate() throws {
        try require(!terms.isEmpty, "terms", is: "empty", allowed: "at least one term")
        try require(every >= 1, "every", is: every, allowed: "a whole number ≥ 1")
        try validateParts()
    }
}
