/// The checks and catalogue entries that parameter perturbations share.
enum ObjectiveChecks {
    static func distance(_ name: String, _ value: Scheduled) throws {
        try value.require(
            name, in: 0...Double.greatestFiniteMagnitude, allowed: "a finite distance ≥ 0")
    }

    static func notNegative(_ name: String, _ value: Scheduled) throws {
        try value.require(name, in: 0...Double.greatestFiniteMagnitude, allowed: "a finite number ≥ 0")
    }

    static func positive(_ name: String, _ value: Scheduled) throws {
        try value.require(
            name, in: Double.leastNonzeroMagnitude...Double.greatestFiniteMagnitude,
            allowed: "a finite number > 0")
    }

    static func count(_ name: String, _ value: Int, atMost limit: Int) throws {
        try require(
            value >= 1 && value <= limit, name, is: value, allowed: "a whole number in 1 … \(limit)")
    }
}

extension CatalogueEntry.Parameter {
    static func rho(default value: String) -> Self {
        .init(
            "rho", "schedule", default: value, allowed: "≥ 0", unit: "θ, a distance over all parameters", "ρ")
    }
}
