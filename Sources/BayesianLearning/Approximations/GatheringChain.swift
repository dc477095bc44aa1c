import PerturbedEquations
import PosteriorSampling
import Safetensors

/// A chain whose draws are not of its path: it gathers a distribution on its way, and every step beyond its end draws from that.
///
/// So a sampler keeps, streams, saves and resumes these draws as any others. The optimizer's time stands still at the end.
package final class GatheringChain: MarkovChain {
    private let path: NetworkChain
    private let distribution: any WeightDistribution
    private let steps: Int
    private let key: NoiseKey
    private var drawn = 0

    /// - Parameters:
    ///   - path: the chain; its steps may have been taken in part.
    ///   - steps: the length of the path.
    ///   - key: the chain's key.
    package init(_ path: NetworkChain, _ distribution: any WeightDistribution, steps: Int, key: NoiseKey) {
        self.path = path
        self.distribution = distribution
        self.steps = steps
        self.key = key.derived("posterior")
    }

    package var optimizer: PerturbedOptimizer { path.optimizer }
    package var functionNames: [String] { path.functionNames }
    package func functions() throws -> [Double] { try path.functions() }

    package func withParameters<Result>(
        _ body: ([UnsafeMutableRawBufferPointer]) throws -> Result
    ) throws -> Result { try path.withParameters(body) }

    package func step(measuring: Bool) throws -> ChainStep {
        guard optimizer.step >= steps else {
            let taken = try path.step(measuring: measuring)
            try withParameters { distribution.gather($0, after: optimizer.step) }
            return taken
        }
        try withParameters { memory in
            if drawn == 0 { distribution.close(memory) }
            distribution.draw(drawn, of: optimizer, key: key, into: memory)
        }
        drawn += 1
        let energy = measuring ? try path.energy(withBatchOf: steps + drawn) : nil
        return ChainStep(energy: energy, outcome: .applied)
    }

    package func keptSources() -> [TensorSource] {
        distribution.stateSources() + [.integer("drawn", Int64(drawn))]
    }

    package func restoreKept(from file: SafetensorsFile) throws {
        try distribution.restore(from: file)
        drawn = Int(try file.integer("drawn"))
    }
}
