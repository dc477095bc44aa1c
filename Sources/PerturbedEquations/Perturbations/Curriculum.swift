/// A term for each phase of training.
///
/// δ(t) = Pₖ for tₖ ≤ t < tₖ₊₁; a phase without a term, and the time before the first phase, have none. Schedules of a
/// term keep counting from the start of the run.
///
/// ```yaml
/// - curriculum:
///     phases:
///       - {from: 0, term: {gaussian: {sigma: {relative: 0.3}}}}
///       - {from: 1000, term: {orthogonal: {sigma: {relative: 0.1}}}}
///       - {from: 5000}
/// ```
///
/// Each has its own noise, memory and statistics; see `CompositePerturbation`.
///
/// Source: after Bengio et al. 2009, Curriculum Learning.
public struct Curriculum: CompositePerturbation {
    /// A term and when it begins.
    public struct Phase: Sendable, Codable {
        /// The first step; ≥ 0.
        public var from: Int
        /// nil: no perturbation.
        public var term: (any Perturbation)?

        public init(from step: Int, _ term: (any Perturbation)?) {
            from = step
            self.term = term
        }

        private enum CodingKeys: String, CodingKey {
            case from, term
        }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            from = try container.decode(Int.self, forKey: .from)
            term = try container.decodeIfPresent(NamedPerturbation.self, forKey: .term)?.term
        }

        public func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(from, forKey: .from)
            try container.encodeIfPresent(term.map(NamedPerturbation.init), forKey: .term)
        }
    }

    public var phases: [Phase]

    public init(_ phases: [Phase]) {
        self.phases = phases
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "curriculum", summary: "A term for each phase of training.",
        equation: "δ(t) = Pₖ for tₖ ≤ t < tₖ₊₁",
        parameters: [
            .init(
                "phases", "list of {from: integer, term: perturbation}",
                allowed: "at least one, from ≥ 0 and rising; without term: none", "tₖ and Pₖ")
        ],
        source: "after Bengio et al. 2009, Curriculum Learning")

    /// The phases that have a term.
    private var places: [Int] { phases.indices.filter { phases[$0].term != nil } }

    public var parts: [any Perturbation] { phases.compactMap(\.term) }
    public func path(ofPart number: Int) -> String { "phases.\(places[number]).term" }

    private func phase(at step: Int) -> Int? { phases.lastIndex { $0.from <= step } }

    public func weight(ofPart number: Int, at step: Int, word: UInt64) -> Double {
        phase(at: step) == places[number] ? 1 : 0
    }

    public func isZero(at step: Int) -> Bool {
        phase(at: step).flatMap { phases[$0].term }?.isZero(at: step) ?? true
    }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        for index in phases.indices where phases[index].term != nil {
            try phases[index].term!.forEachSchedule(body)
        }
    }

    public func validate() throws {
        try require(!phases.isEmpty, "phases", is: "empty", allowed: "at least one phase")
        for (index, phase) in phases.enumerated() {
            let previous = index == 0 ? -1 : phases[index - 1].from
            try within("phases.\(index)") {
                try require(
                    phase.from > previous, "from", is: phase.from,
                    allowed: index == 0 ? "a whole number ≥ 0" : "a whole number > \(previous)")
            }
        }
        try validateParts()
    }
}
