import Torch
import TorchNN

/// Goes on with a text, token by token, by a model of the next one.
public struct TextGeneration {
    private let model: any Module
    /// The longest sequence that the model sees: of a longer text its end.
    public let context: Int
    public var sampler: TokenSampler
    /// Tokens after which a text is over.
    public var ends: Set<Int>

    /// - Parameter model: scores [n, length, tokens], or of the last place alone [n, tokens], of tokens [n, length].
    public init(_ model: any Module, context: Int, sampler: TokenSampler, ends: Set<Int> = []) {
        self.model = model
        self.context = context
        self.sampler = sampler
        self.ends = ends
    }

    /// Up to `count` tokens that follow `prompt`; fewer where the last of them ends the text.
    ///
    /// - Parameters:
    ///   - vocabulary: only tokens below it are chosen.
    ///   - each: is told every token as it comes.
    /// - Throws: `ModelError` for scores that are not finite; `TorchError` where there is no memory; what `each` throws.
    /// - Precondition: the prompt has tokens, all of them the model's.
    /// - Complexity: one forward pass over at most `context` tokens for each.
    public func tokens(
        after prompt: [Int], count: Int, below vocabulary: Int, each: (Int) throws -> Void = { _ in }
    ) throws -> [Int] {
        precondition(!prompt.isEmpty, "a text goes on from at least one token")
        var text = prompt
        for _ in 0..<count {
            let scores = try scores(after: Array(text.suffix(context))).prefix(vocabulary)
            guard !scores.isEmpty, scores.allSatisfy(\.isFinite) else {
                throw ModelError(
                    code: .notFinite,
                    message:
                        "the model's scores of token \(text.count) are not finite: its weights are of no use")
            }
            let token = sampler.token(from: Array(scores), at: text.count)
            text.append(token)
            try each(token)
            if ends.contains(token) { break }
        }
        return Array(text.dropFirst(prompt.count))
    }

    private func scores(after tokens: [Int]) throws -> [Float] {
        let input = try Tensor(tokens, shape: [1, tokens.count])
        let scores = withoutGradients { model.forward(input, .evaluation) }
        try Libtorch.checkHeldFailure()
        let last = scores.rank == 3 ? scores.selected(1, at: scores.size(1) - 1) : scores
        return try last.detached().contiguous().array(of: Float.self)
    }
}
