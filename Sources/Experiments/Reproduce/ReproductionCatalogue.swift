/// The experiments that `peo reproduce` knows.
public enum ReproductionCatalogue {
    /// To add one: its own file, and a line here. `--all` runs them in this order.
    public static let all: [any Reproduction] = [
        LabelNoiseBias(),
        Octopus(),
        Valley(),
        DeepMNIST(),
        NoisyLabels(),
        SmallData(),
        CharGPT(),
        ConvexFloor(),
        NChainExploration(),
        PendulumRobustPolicy(),
        Mixture(),
        LinearGaussian(),
        Funnel(),
        UCI(),
        SimulationCalibration(),
    ]

    /// The experiment of that name; nil if there is none.
    public static func reproduction(named id: String) -> (any Reproduction)? {
        all.first { $0.id == id }
    }
}
