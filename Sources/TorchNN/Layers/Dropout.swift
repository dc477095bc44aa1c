import Torch

/// In training, and where a context asks for dropout in evaluation, each element becomes 0 with probability p, and x/(1 − p)
/// otherwise; in plain evaluation y = x.
///
/// The mask depends on the context's seed and the layer's place in the model alone. Source: Srivastava and
/// others 2014, Dropout.
public struct Dropout: Module {
    /// In 0..<1.
    public let p: Double

    /// Traps for a probability outside 0..<1.
    public init(_ p: Double) {
        demand(p >= 0 && p < 1, "Dropout: the probability \(p) must be at least 0 and below 1")
        self.p = p
    }

    public func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        context.drops && p > 0 ? x.dropout(p, seed: context.seed) : x
    }
}
