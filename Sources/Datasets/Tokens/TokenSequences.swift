/// Sequences of tokens of different lengths, some of which a model is asked for.
///
/// Example i of the tokens t₀ … tₙ is the inputs t₀ … tₙ₋₁ with the targets t₁ … tₙ, of which those that are not asked for
/// are ``TargetKind/ignored``. In a batch it is padded on the right, where a causal model's scores before are not changed by
/// it, and nothing is asked for.
struct TokenSequences: Sendable {
    private var tokens: [Int32] = []
    private var isAsked: [Bool] = []
    private var ends: [Int] = []
    private(set) var askedCounts: [Int] = []
    /// What fills the places after an example.
    let padding: Int32

    init(padding: Int32) { self.padding = padding }

    var count: Int { ends.count }

    /// - Parameter asked: for each token whether the model is asked for it; the first has none before it, and is not.
    /// - Precondition: as many as tokens, two or more.
    mutating func append(_ tokens: [Int32], asked: [Bool]) {
        precondition(tokens.count == asked.count && tokens.count > 1, "an example needs two tokens")
        self.tokens += tokens
        isAsked += asked
        ends.append(self.tokens.count)
        askedCounts.append(asked.dropFirst().count { $0 })
    }

    /// Where an example's tokens are.
    private func range(_ row: Int) -> Range<Int> { (row == 0 ? 0 : ends[row - 1])..<ends[row] }

    /// The inputs of an example.
    func length(_ row: Int) -> Int { range(row).count - 1 }

    func copy(
        _ row: Int, length: Int, inputs: UnsafeMutablePointer<Int64>, targets: UnsafeMutablePointer<Int64>
    ) {
        let range = range(row)
        for offset in 0..<length {
            let place = range.lowerBound + offset
            let isInside = place + 1 < range.upperBound
            inputs[offset] = Int64(isInside ? tokens[place] : padding)
            targets[offset] =
                isInside && isAsked[place + 1] ? Int64(tokens[place + 1]) : TargetKind.ignored
        }
    }
}
