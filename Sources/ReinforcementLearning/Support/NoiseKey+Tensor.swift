import PerturbedEquations
import Torch

extension NoiseKey {
    /// Normal variates, N(0, 1) per element, of that step: float32, addressed.
    ///
    /// - Parameter draw: tells several draws of one step apart.
    /// - Throws: `TorchError` where there is no memory.
    func normals(_ shape: [Int], step: Int, draw: Int = 0) throws(TorchError) -> Tensor {
        var values = [Float](repeating: 0, count: shape.reduce(1, *))
        var span = values.mutableSpan
        NoiseStream(key: self, step: step, parameter: draw, term: 0).fill(&span, with: .normal)
        return try Tensor(values, shape: shape)
    }
}
