/// Several terms by weight: all of them at once, or one drawn at random at each step.
///
/// δ = Σₖ wₖ(t)·Pₖ; with `draw`, δ = Pₖ with probability wₖ(t)/Σⱼ wⱼ(t), the same k for all parameters, drawn by the
/// noise's seed and the step. Where all weights are 0, δ = 0; with `draw` not at every step.
///
/// With scheduled weights it is the hybrid of a deterministic and a stochastic perturbation:
///
/// ```yaml
/// - mixture:
///     parts:
///       - {term: {adaptive: {alpha: 0.1, function: sign}}, weight: {linear: {from: 1, to: 0}}}
///       - {term: {gaussian: {sigma: {relative: 0.1}}}, weight: {linear: {from: 0, to: 1}}}
/// ```
///
/// Each part has its own noise, memory and statistics; see `CompositePerturbation`.
///
/// Source: none needed.
public struct Mixture: CompositePerturbation {
    /// One term and its weight.
    public struct Part: Sendable, Codable {
        public var term: any Perturbation
        /// wₖ; finite, and with `draw` ≥ 0.
        public var weight: Scheduled

        public init(_ term: any Perturbation, weight: Scheduled) {
            self.term = term
            self.weight = weight
        }

        private enum CodingKeys: String, CodingKey {
            case term, weight
        }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            term = try container.decode(NamedPerturbation.self, forKey: .term).term
            weight = try container.decode(Scheduled.self, forKey: .weight)
        }

        public func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(NamedPerturbation(term), forKey: .term)
            try container.encode(weight, forKey: .weight)
        }
    }

    public var mixed: [Part]
    /// Whether each step draws one part instead of adding all; default false.
    public var draw: Bool

    public init(_ parts: [Part], draw: Bool = false) {
        mixed = parts
        self.draw = draw
    }

    private enum CodingKeys: String, CodingKey {
        case mixed = "parts"
        case draw
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            try container.decode([Part].self, forKey: .mixed),
            draw: try container.decode(.draw, default: false))
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "mixture", summary: "Several terms by weight, together or one drawn at each step.",
        equation: "δ = Σₖ wₖ(t)·Pₖ; with draw: δ = Pₖ with probability wₖ/Σⱼ wⱼ",
        parameters: [
            .init(
                "parts", "list of {term: perturbation, weight: schedule}",
                allowed: "at least one; weights finite, with draw ≥ 0 and their sum > 0", "Pₖ and wₖ"),
            .init("draw", "boolean", default: "false", allowed: "true, false", "one part at random per step"),
        ],
        source: "none needed")

    public var parts: [any Perturbation] { mixed.map(\.term) }
    public func path(ofPart number: Int) -> String { "parts.\(number).term" }

    public func weight(ofPart number: Int, at step: Int, word: UInt64) -> Double {
        guard draw else { return mixed[number].weight.value(at: step) }
        let weights = mixed.map { $0.weight.value(at: step) }
        let place = Double(word >> 11) * 0x1p-53 * weights.reduce(0, +)
        var before = 0.0
        for (index, weight) in weights.enumerated() {
            before += weight
            if place < before { return index == number ? 1 : 0 }
        }
        return 0
    }

    public func isZero(at step: Int) -> Bool {
        mixed.allSatisfy { $0.weight.value(at: step) == 0 || $0.term.isZero(at: step) }
    }

    public mutating func forEachSchedule(_ body: (inout Scheduled) throws -> Void) rethrows {
        for index in mixed.indices {
            try mixed[index].term.forEachSchedule(body)
            try body(&mixed[index].weight)
        }
    }

    public func validate() throws {
        try require(!mixed.isEmpty, "parts", is: "empty", allowed: "at least one part")
        let largest = Double.greatestFiniteMagnitude
        for (index, part) in mixed.enumerated() {
            try within("parts.\(index)") {
                try part.weight.require(
                    "weight", in: (draw ? 0 : -largest)...largest,
                    allowed: draw ? "a finite weight ≥ 0" : "a finite weight")
            }
        }
        if draw { try requireChoice() }
        try validateParts()
    }

    /// Refuses weights of which nothing can be drawn: a sum that is not finite, or one that is 0 at every step.
    private func requireChoice() throws {
        let isOpen = mixed.contains { $0.weight.needsHorizon }
        let sums = (isOpen ? [0] : Scheduled.sampledSteps).map { step in
            mixed.reduce(0) { $0 + $1.weight.value(at: step) }
        }
        let wrong = sums.first { !$0.isFinite } ?? (isOpen || sums.contains { $0 > 0 } ? nil : 0)
        try require(
            wrong == nil, "parts", is: "with weights whose sum is \(wrong ?? 0)",
            allowed: "with draw: weights with a finite sum, which is > 0 at some step")
    }
}
