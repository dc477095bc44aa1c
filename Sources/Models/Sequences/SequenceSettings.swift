extension ModelEntry.Parameter {
    // The settings that models of sequences share.
    static func layers(_ value: String) -> Self {
        Self(
            "layers", type: "whole number", default: value, allowed: "1 to 1000000",
            meaning: "how many layers")
    }
    static let heads = Self(
        "heads", type: "whole number", default: "4", allowed: "a divisor of width",
        meaning: "the attention's heads")
    static func width(_ value: String) -> Self {
        Self(
            "width", type: "whole number", default: value, allowed: "1 to 1000000",
            meaning: "numbers that stand for a token")
    }
    static let context = Self(
        "context", type: "whole number", default: "0", allowed: "0, or the data's length or more",
        meaning: "the longest sequence; 0: the data's")
    static let sequenceDropout = Self(
        "dropout", type: "number", default: "0", allowed: "0 ≤ p < 1",
        meaning: "the probability that a number is left out in training")
    static let neftune = Self(
        "neftune", type: "number", default: "0", allowed: "≥ 0; 5 in the paper",
        meaning: "α of NEFTune's noise on the embedding in training; 0: none")
}
