/// Schedules one after another; each one's time starts at 0 when its turn comes.
///
/// A phase without a length must be the last. PyTorch's `SequentialLR`.
public struct SequenceSchedule: Schedule {
    public struct Phase: Sendable, Codable {
        public var value: Scheduled
        /// How long it lasts; nil for the last phase: to the end.
        public var steps: StepCount?

        public init(_ value: Scheduled, for steps: StepCount?) {
            self.value = value
            self.steps = steps
        }
    }

    public var phases: [Phase]

    public init(_ phases: [Phase]) {
        self.phases = phases
    }

    public func value(at step: Int) -> Double {
        var left = step
        for phase in phases.dropLast() {
            let length = phase.steps?.count ?? 0
            if left < length { return phase.value.value(at: left) }
            left -= length
        }
        return phases.last?.value.value(at: left) ?? 0
    }

    public func resolved(for run: RunLength) -> SequenceSchedule {
        var left = run.steps
        return SequenceSchedule(
            phases.map { phase in
                let steps = phase.steps?.resolved(for: run)
                let length = steps?.count ?? max(1, left)
                left -= min(left, length)
                return Phase(phase.value.resolved(for: run.of(steps: length)), for: steps)
            })
    }

    public var needsHorizon: Bool {
        phases.contains { $0.value.needsHorizon || $0.steps.map { $0.known == nil } ?? false }
    }

    public static let catalogueEntry = CatalogueEntry(
        name: "sequence", summary: "Several schedules, one after another.",
        equation: "f(t) = fₖ(t − tₖ) for tₖ ≤ t < tₖ₊₁",
        parameters: [
            .init(
                "phases", "list of {value: schedule, steps: integer or {epochs: n}}",
                allowed: "at least one; only the last without steps",
                unit: "that of the setting", "the schedules and how long each lasts")
        ],
        source: "PyTorch SequentialLR")

    public func validate() throws {
        try require(!phases.isEmpty, "phases", is: "empty", allowed: "at least one phase")
        for (index, phase) in phases.enumerated() {
            try within("phases.\(index)") {
                try phase.value.validate()
                try requireLength(phase.steps)
                if phase.steps == nil {
                    try require(
                        index == phases.count - 1, "steps", is: "missing",
                        allowed: "missing in the last phase only")
                }
            }
        }
    }
}

/// The product of schedules: f(t) = Πₖ fₖ(t).
public struct ProductSchedule: Schedule {
    public var factors: [Scheduled]

    public init(_ factors: [Scheduled]) {
        self.factors = factors
    }

    public func value(at step: Int) -> Double {
        factors.reduce(1) { $0 * $1.value(at: step) }
    }

    public func resolved(for run: RunLength) -> ProductSchedule {
        ProductSchedule(factors.map { $0.resolved(for: run) })
    }

    public var needsHorizon: Bool { factors.contains(where: \.needsHorizon) }

    public static let catalogueEntry = CatalogueEntry(
        name: "product", summary: "The product of several schedules.", equation: "f(t) = Πₖ fₖ(t)",
        parameters: [
            .init(
                "factors", "list of schedules", allowed: "at least one", unit: "that of the setting",
                "what is multiplied")
        ],
        source: "none needed")

    public func validate() throws {
        try require(!factors.isEmpty, "factors", is: "empty", allowed: "at least one schedule")
        for (index, factor) in factors.enumerated() {
            try within("factors.\(index)") { try factor.validate() }
        }
    }
}

/// The sum of schedules: f(t) = Σₖ fₖ(t).
public struct SumSchedule: Schedule {
    public var terms: [Scheduled]

    public init(_ terms: [Scheduled]) {
        self.terms = terms
    }

    public func value(at step: Int) -> Double {
        terms.reduce(0) { $0 + $1.value(at: step) }
    }

    public func resolved(for run: RunLength) -> SumSchedule {
        SumSchedule(terms.map { $0.resolved(for: run) })
    }

    public var needsHorizon: Bool { terms.contains(where: \.needsHorizon) }

    public static let catalogueEntry = CatalogueEntry(
        name: "sum", summary: "The sum of several schedules.", equation: "f(t) = Σₖ fₖ(t)",
        parameters: [
            .init(
                "terms", "list of schedules", allowed: "at least one", unit: "that of the setting",
                "what is added")
        ],
        source: "none needed")

    public func validate() throws {
        try require(!terms.isEmpty, "terms", is: "empty", allowed: "at least one schedule")
        for (index, term) in terms.enumerated() { try within("terms.\(index)") { try term.validate() } }
    }
}
