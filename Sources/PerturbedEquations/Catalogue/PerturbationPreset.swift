/// A perturbation for a kind of network, with the sweep that its numbers come from.
///
/// The strength is the largest of the sweep for which neither the test nor the interval over ten seeds shows harm; where each
/// did harm, the smallest, and the result says so. The sweeps are comparisons (`Examples/sweeps`), to be run again, or changed to one's own data.
///
/// ```swift
/// let equation = PerturbedEquation(rule: Adam(), perturbation: [PerturbationPreset.smallCNN.term])
/// ```
/// ```yaml
/// perturbation:
///   - preset: smallCNN
/// ```
public struct PerturbationPreset: Sendable {
    /// The name in a configuration.
    public let name: String
    /// For what, on one line.
    public let summary: String
    public let term: any Perturbation
    /// The command that runs the sweep.
    public let sweep: String
    /// What the sweep found.
    public let result: String

    /// Every preset; one line each.
    public static let all: [PerturbationPreset] = [smallCNN, largeCNN, transformer, agent, annealed, rising]

    /// Low: σ = 0.1·RMS(g).
    public static let smallCNN = PerturbationPreset(
        name: "smallCNN", summary: "Low noise, for convolutional networks of a few layers.",
        term: Gaussian(sigma: .relative(0.1)), sweep: "peo compare Examples/sweeps/small-cnn.yaml",
        result:
            "the smallest of the sweep, σ = 0.1·RMS(g): 0.09 points lower (the interval excludes 0), which the test does not "
            + "settle; from 0.3 on worse")

    /// Medium: σ = 0.3·RMS(g).
    public static let largeCNN = PerturbationPreset(
        name: "largeCNN", summary: "Medium noise, for deep residual networks.",
        term: Gaussian(sigma: .relative(0.3)), sweep: "peo compare Examples/sweeps/large-cnn.yaml",
        result:
            "no effect on accuracy shown up to σ = 0.3·RMS(g); at 1, 0.7 points lower, which ten seeds do not settle; 3 breaks it"
    )

    /// Low: σ = 0.1·RMS(g).
    public static let transformer = PerturbationPreset(
        name: "transformer", summary: "Low noise, for small language models.",
        term: Gaussian(sigma: .relative(0.1)), sweep: "peo compare Examples/sweeps/transformer.yaml",
        result: "the smallest of the sweep, σ = 0.1·RMS(g): 0.015 nats a token worse than none")

    /// High: σ = RMS(g).
    public static let agent = PerturbationPreset(
        name: "agent", summary: "High noise, for agents that learn by policy gradients.",
        term: Gaussian(sigma: .relative(1)), sweep: "peo compare Examples/sweeps/agent.yaml",
        result:
            "no effect on the return shown up to σ = RMS(g); at 3, 126 of 480 lower; 10 breaks it")

    /// High early: σ from 0.3·RMS(g) to 0 by a cosine over the run.
    public static let annealed = PerturbationPreset(
        name: "annealed", summary: "Noise that fades over the run, for deep residual networks.",
        term: Gaussian(sigma: .relative(Scheduled(CosineSchedule(from: 0.3, to: 0)))),
        sweep: "peo compare Examples/sweeps/large-cnn.yaml (and small-cnn, transformer)",
        result:
            "accuracy 0.38 points above none on a deep CNN, which the test does not settle; 0.16 below on a small one, "
            + "which it does not settle either (both intervals exclude 0); a transformer 0.046 nats a token worse"
    )

    /// High early, and a rise at the end: σ from 0.3·RMS(g) to 0 by a cosine, then to 0.1·RMS(g) over the last tenth.
    public static let rising = PerturbationPreset(
        name: "rising", summary: "Noise that fades and comes back near the end.",
        term: Gaussian(sigma: .relative(Scheduled(RiseNearTheEndSchedule(from: 0.3, to: 0.1)))),
        sweep: "peo compare Examples/sweeps/large-cnn.yaml (and small-cnn, transformer)",
        result:
            "no effect on a deep CNN's accuracy shown; 0.16 points below none on a small one; a transformer 0.044 nats a token worse"
    )

    /// The preset in the catalogue's words.
    public var catalogueEntry: CatalogueEntry {
        CatalogueEntry(
            name: name, summary: summary, equation: "\(type(of: term).catalogueEntry.equation); \(result)",
            parameters: [], source: "our sweep, \(sweep)")
    }
}

/// A preset as a configuration names it, `preset: smallCNN`, in the place of a term.
struct PresetReference: Catalogued {
    let preset: PerturbationPreset

    static let catalogueEntry = CatalogueEntry(
        name: "preset", summary: "The perturbation of a preset.", equation: "", parameters: [],
        source: "our sweeps")

    init(from decoder: any Decoder) throws {
        let name = try decoder.singleValueContainer().decode(String.self)
        guard let preset = PerturbationPreset.all.first(where: { $0.name == name }) else {
            throw unknownName(name, kind: "preset", among: PerturbationPreset.all.map(\.name))
        }
        self.preset = preset
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(preset.name)
    }
}
