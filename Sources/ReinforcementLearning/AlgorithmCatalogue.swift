import PerturbedEquations

/// The algorithms that a configuration can name.
///
/// To add one: its own file, and a line here.
public enum AlgorithmCatalogue {
    public static let all: [any Algorithm.Type] = []
}
