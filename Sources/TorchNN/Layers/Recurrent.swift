import Torch

/// Layers of LSTM or GRU cells over a sequence: x [n, length, inputs] becomes the last layer's outputs [n, length, hidden].
///
/// ```
/// LSTM: i, f, o = σ(Wx + Uh + b + b′), g = tanh(…); c ← f⊙c + i⊙g; h = o⊙tanh(c)
/// GRU:  r, z = σ(Wx + b + Uh + b′), n = tanh(Wx + b + r⊙(Uh + b′)); h ← (1 − z)⊙n + z⊙h
/// ```
///
/// States start at 0. Weights and biases are drawn from U(−1/√hidden, 1/√hidden). Names: `weight_ih_l0`, `weight_hh_l0`,
/// `bias_ih_l0`, `bias_hh_l0`, …, as `torch.nn.LSTM` and `torch.nn.GRU` with `batch_first`. Sources: Hochreiter and
/// Schmidhuber 1997, Long Short-Term Memory; Cho et al. 2014, Learning Phrase Representations using RNN Encoder–Decoder.
public struct Recurrent: Module {
    public let cell: RecurrentCell
    public let ownParameters: [NamedTensor]
    /// Of the outputs between layers, in 0..<1.
    public let dropout: Double
    private let weights: [Tensor]

    /// Throws where there is no memory. Traps for sizes below 1, or a probability outside 0..<1.
    public init(
        _ cell: RecurrentCell, _ inputs: Int, _ hidden: Int, layers: Int = 1, dropout: Double = 0,
        seed: UInt64,
        dtype: DType = .float32
    ) throws(TorchError) {
        demand(
            inputs > 0 && hidden > 0 && layers > 0,
            "Recurrent: the sizes \(inputs) → \(hidden), \(layers) layers, must be positive")
        demand(
            dropout >= 0 && dropout < 1,
            "Recurrent: the probability \(dropout) must be at least 0 and below 1")
        let bound = 1 / Double(hidden).squareRoot()
        let rows = cell.gates * hidden
        var parameters: [NamedTensor] = []
        for layer in 0..<layers {
            for (name, shape) in [
                ("weight_ih", [rows, layer == 0 ? inputs : hidden]), ("weight_hh", [rows, hidden]),
                ("bias_ih", [rows]), ("bias_hh", [rows]),
            ] {
                let name = "\(name)_l\(layer)"
                let tensor = try Tensor.uniform(
                    shape, low: -bound, high: bound, seed: derivedSeed(seed, name), dtype: dtype)
                parameters.append(NamedTensor(name, tensor.requiringGradient()))
            }
        }
        self.cell = cell
        self.dropout = dropout
        ownParameters = parameters
        weights = parameters.map(\.tensor)
    }

    public func forward(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        x.recurrent(cell, weights: weights, dropout: context.drops ? dropout : 0, seed: context.seed)
    }
}
