import PerturbedEquations
import PosteriorSampling
import Safetensors

/// The moments of ``SWAG`` along the path of one chain: θ̄, Σ(θ − θ̄)², both in float64, and the last deviations.
///
/// The moments run as Welford 1962 has them, so that no variance is a difference of two large numbers:
///
/// ```
/// d = θ − θ̄;   θ̄ ← θ̄ + d/n;   S ← S + d·(θ − θ̄);   column (n − 1) mod rank ← θ − θ̄
/// ```
final class SWAGMoments: WeightDistribution {
    private let schedule: SamplingSchedule
    private let rank: Int
    private let specs: [ParameterSpec]
    private let mean: WeightNumbers
    private let squares: WeightNumbers
    /// D̂ of each parameter, [rank, count]. A column that is taken before the others is 0, as in the paper's algorithm.
    private let columns: [UnsafeMutableBufferPointer<Float>]
    /// How often θ was taken in.
    private var count = 0

    init(_ specs: [ParameterSpec], along schedule: SamplingSchedule, rank: Int) {
        self.specs = specs
        self.schedule = schedule
        self.rank = rank
        mean = WeightNumbers(specs)
        squares = WeightNumbers(specs)
        columns = specs.map { spec in
            let memory = UnsafeMutableBufferPointer<Float>.allocate(capacity: rank * spec.count)
            memory.initialize(repeating: 0)
            return memory
        }
    }

    deinit { for memory in columns { memory.deallocate() } }

    func gather(_ parameters: [UnsafeMutableRawBufferPointer], after taken: Int) {
        guard schedule.keeps(after: taken) else { return }
        let place = count % rank
        count += 1
        let share = 1 / Double(count)
        for (number, spec) in specs.enumerated() {
            let theta = WeightMemory(spec, parameters[number])
            let (mean, squares) = (mean.values[number], squares.values[number])
            let column = columns[number].baseAddress! + place * spec.count
            for i in 0..<spec.count {
                let before = theta[i] - mean[i]
                mean[i] += before * share
                let after = theta[i] - mean[i]
                squares[i] += before * after
                column[i] = Float(after)
            }
        }
    }

    func close(_ parameters: [UnsafeMutableRawBufferPointer]) {}

    func draw(
        _ number: Int, of optimizer: PerturbedOptimizer, key: NoiseKey,
        into parameters: [UnsafeMutableRawBufferPointer]
    ) {
        let half = 0.5.squareRoot()
        let factor = half / Double(rank - 1).squareRoot()
        let loadings = key.derived("columns").normal(rank, draw: number, parameter: 0).map { $0 * factor }
        let diagonal = key.derived("diagonal")
        for (place, spec) in specs.enumerated() {
            let theta = WeightMemory(spec, parameters[place])
            let xi = diagonal.normal(spec.count, draw: number, parameter: place)
            let (mean, squares, columns) = (mean.values[place], squares.values[place], columns[place])
            for i in 0..<spec.count {
                var value = mean[i] + half * (squares[i] / Double(count)).squareRoot() * xi[i]
                for (k, loading) in loadings.enumerated() {
                    value += loading * Double(columns[k * spec.count + i])
                }
                theta[i] = value
            }
        }
    }

    func stateSources() -> [TensorSource] {
        let columns = zip(specs, columns).map { spec, memory in
            TensorSource(name: "swag/columns/\(spec.name)", type: .float32, shape: [rank] + spec.shape) {
                [self] write in
                try withExtendedLifetime(self) { try write(UnsafeRawBufferPointer(memory)) }
            }
        }
        return mean.sources("swag/mean") + squares.sources("swag/squares") + columns
            + [.integer("swag/count", Int64(count))]
    }

    func restore(from file: SafetensorsFile) throws {
        try mean.restore("swag/mean", from: file)
        try squares.restore("swag/squares", from: file)
        for (spec, memory) in zip(specs, columns) {
            try file.tensor("swag/columns/\(spec.name)", type: .float32, shape: [rank] + spec.shape).data
                .copyBytes(to: UnsafeMutableRawBufferPointer(memory))
        }
        count = Int(try file.integer("swag/count"))
    }
}

extension TensorSource {
    /// A whole number, as a tensor of one element.
    static func integer(_ name: String, _ value: Int64) -> TensorSource {
        TensorSource(name: name, type: .int64, shape: [1]) { write in
            try withUnsafeBytes(of: value) { try write($0) }
        }
    }
}

extension SafetensorsFile {
    /// What ``TensorSource/integer(_:_:)`` wrote.
    func integer(_ name: String) throws -> Int64 {
        try tensor(name, type: .int64, shape: [1]).integers()[0]
    }
}
