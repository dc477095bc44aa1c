import TestSupport
import Torch
import TorchNN

extension ParityCase {
    /// Layers of sequences.
    static func sequences() throws -> [ParityCase] {
        let x = try Tensor.normal([3, 7, 8], seed: 31)
        func recurrent(_ cell: RecurrentCell, layers: Int, dropout: Double = 0) throws -> Recurrent {
            try Recurrent(cell, 8, 5, layers: layers, dropout: dropout, seed: 32)
        }
        func encoder(_ layers: Int, normFirst: Bool) throws -> TransformerEncoder {
            TransformerEncoder(
                try (0..<layers).map {
                    try TransformerEncoderLayer(
                        8, heads: 2, hidden: 12, activation: normFirst ? .gelu : .relu, normFirst: normFirst,
                        seed: UInt64(40 + $0))
                }, norm: normFirst ? try LayerNorm([8]) : nil)
        }
        let layer = "nn.TransformerEncoderLayer(8, 2, 12, dropout=0, batch_first=True"
        return [
            .init(
                name: "lstm", python: "First(nn.LSTM(8, 5, batch_first=True))",
                module: try recurrent(.lstm, layers: 1), input: x),
            .init(
                name: "lstm-layers", python: "First(nn.LSTM(8, 5, num_layers=3, batch_first=True))",
                module: try recurrent(.lstm, layers: 3), input: x),
            .init(
                name: "lstm-dropout-evaluation",
                python: "First(nn.LSTM(8, 5, num_layers=2, dropout=0.5, batch_first=True))",
                module: try recurrent(.lstm, layers: 2, dropout: 0.5), input: x, training: false),
            .init(
                name: "gru", python: "First(nn.GRU(8, 5, batch_first=True))",
                module: try recurrent(.gru, layers: 1), input: x),
            .init(
                name: "gru-layers", python: "First(nn.GRU(8, 5, num_layers=3, batch_first=True))",
                module: try recurrent(.gru, layers: 3), input: x),
            .init(
                name: "encoder", python: "nn.TransformerEncoder(\(layer)), 2)",
                module: try encoder(2, normFirst: false), input: x),
            .init(
                name: "encoder-norm-first",
                python:
                    "nn.TransformerEncoder(\(layer), activation='gelu', norm_first=True), 2, nn.LayerNorm(8), "
                    + "enable_nested_tensor=False)",
                module: try encoder(2, normFirst: true), input: x),
            .init(
                name: "transposed-linear", python: "Conv1D(8, 3)",
                module: try TransposedLinear(8, 3, seed: 35), input: x),
        ]
    }
}
