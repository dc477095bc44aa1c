import PerturbedEquations
import Safetensors

/// A distribution over the weights that is gathered along the path of one chain, and drawn from after the chain's end.
///
/// It belongs to one chain and is used by one thread at a time. What it keeps is saved with the chain, so that a run which was
/// killed gathers and draws the same bits.
public protocol WeightDistribution: AnyObject {
    /// Takes in θ after a step of the path.
    ///
    /// - Parameters:
    ///   - parameters: the memory of each parameter.
    ///   - taken: steps that the chain has taken.
    func gather(_ parameters: [UnsafeMutableRawBufferPointer], after taken: Int)

    /// Takes in θ where the path has ended, before the first draw.
    func close(_ parameters: [UnsafeMutableRawBufferPointer])

    /// Writes a draw in the place of θ: a pure function of what was gathered, the number and the key.
    ///
    /// - Parameters:
    ///   - number: of the draw, from 0.
    ///   - optimizer: the chain's, as the path has left it.
    ///   - key: the chain's key for draws.
    func draw(
        _ number: Int, of optimizer: PerturbedOptimizer, key: NoiseKey,
        into parameters: [UnsafeMutableRawBufferPointer])

    /// What is kept, to be saved.
    func stateSources() -> [TensorSource]
    /// Reads what ``stateSources()`` wrote.
    /// - Throws: `SafetensorsError` for what belongs to other parameters.
    func restore(from file: SafetensorsFile) throws
}

extension NoiseKey {
    /// ξ ~ N(0, 1) of one parameter's elements for a draw.
    func normal(_ count: Int, draw: Int, parameter: Int) -> [Double] {
        var values = [Double](repeating: 0, count: count)
        var span = values.mutableSpan
        NoiseStream(key: self, step: draw, parameter: parameter, term: 0).fill(&span, with: .normal)
        return values
    }
}
