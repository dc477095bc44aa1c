import Foundation
import PerturbedEquations
import Safetensors

/// What an equation does, step by step, on a loss whose gradient anyone can work out:
/// L(θ) = Σᵢ ½hᵢθᵢ² + wᵢ(t)θᵢ, so g = h⊙θ + w(t).
///
/// ```yaml
/// rule: {sgd: {learningRate: 0.1}}
/// perturbation: [{gaussian: {sigma: 0.1}}]
/// problem: {start: [1, -2], curvature: [1, 3]}
/// steps: 5
/// ```
///
/// Benchmarks/parity.py compares the numbers with those of other libraries.
public struct EquationTrace: Decodable, Sendable {
    public var equation: PerturbedEquation
    public var problem: Problem
    /// How many steps are taken; ≥ 1.
    public var steps: Int
    /// Selects the noise; default 1.
    public var seed: UInt64
    /// float64 unless told; or float32.
    public var scalar: ScalarType

    /// The loss.
    public struct Problem: Decodable, Sendable {
        /// θ(0): its length is the number of elements.
        public var start: [Double]
        /// h: one for each element, or one for all; default 1.
        public var curvature: [Double]
        /// w: a list for each step, taken in turn; default none, which is zero.
        public var linear: [[Double]]

        private enum CodingKeys: String, CodingKey { case start, curvature, linear }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            start = try container.decode([Double].self, forKey: .start)
            curvature = try container.decodeIfPresent([Double].self, forKey: .curvature) ?? [1]
            linear = try container.decodeIfPresent([[Double]].self, forKey: .linear) ?? []
        }

        func validate() throws {
            try require(!start.isEmpty, "start", is: "empty", allowed: "a number for each element")
            try require(
                curvature.count == 1 || curvature.count == start.count, "curvature",
                is: "\(curvature.count) numbers", allowed: "one, or one for each of \(start.count) elements")
            try require(
                linear.allSatisfy { $0.count == start.count }, "linear",
                is: "lists of \(linear.map(\.count)) numbers",
                allowed: "lists of one number for each of \(start.count) elements")
        }
    }

    private enum CodingKeys: String, CodingKey { case problem, steps, seed, scalar }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        problem = try container.decode(Problem.self, forKey: .problem)
        steps = try container.decode(Int.self, forKey: .steps)
        seed = try container.decodeIfPresent(UInt64.self, forKey: .seed) ?? 1
        scalar = try container.decodeIfPresent(ScalarType.self, forKey: .scalar) ?? .float64
        equation = try PerturbedEquation(ofRun: decoder)
        try equation.requireUseOfRounding(for: [])
        try within("problem") { try problem.validate() }
        try require(steps >= 1, "steps", is: steps, allowed: "a whole number ≥ 1")
        try require(
            scalar != .bfloat16, "scalar", is: scalar.rawValue, allowed: "float32 or float64")
        // While it is being read, what the optimizer refuses is said with its line.
        try makeOptimizer().requireGradientsSuffice(of: "a trace")
    }

    /// Reads it from a YAML file.
    ///
    /// - Throws: ``ConfigError`` for what it says, `FileError` where it cannot be read.
    public init(contentsOf url: URL) throws {
        let data = try MappedFile.contents(of: url)
        guard let text = String(data: data, encoding: .utf8) else {
            throw ConfigError(.syntax, "the file is not UTF-8 text", file: url.relativePath)
        }
        let node = try ConfigNode(yaml: text, file: url.relativePath)
        self = try ConfigDecoder.decode(Self.self, from: node, file: url.relativePath)
    }

    /// What came of it.
    public struct Result: Encodable, Sendable {
        /// θ(0), θ(1)… θ(steps).
        public var theta: [[Double]]
        /// L(θ(t)) at the first evaluation of each step.
        public var loss: [Double]
        /// How often the gradient was evaluated in each step.
        public var evaluations: [Int]
    }

    public func run() throws -> Result {
        scalar == .float32 ? try run(Float.self) : try run(Double.self)
    }

    private func makeOptimizer() throws -> PerturbedOptimizer {
        try PerturbedOptimizer(
            parameters: [ParameterSpec("theta", shape: [problem.start.count], scalar: scalar)],
            equation: equation, seed: seed, horizon: steps)
    }

    private func run<S: EquationScalar>(_: S.Type) throws -> Result {
        let count = problem.start.count
        let optimizer = try makeOptimizer()
        let theta = UnsafeMutableBufferPointer<S>.allocate(capacity: count)
        let gradient = UnsafeMutableBufferPointer<S>.allocate(capacity: count)
        defer {
            theta.deallocate()
            gradient.deallocate()
        }
        gradient.initialize(repeating: 0)
        _ = theta.initialize(fromContentsOf: problem.start.map { S($0) })
        let buffers = [
            ParameterBuffer(
                parameters: UnsafeMutableRawPointer(theta.baseAddress!),
                gradient: UnsafeRawPointer(gradient.baseAddress!))
        ]
        var result = Result(theta: [theta.map { Double($0) }], loss: [], evaluations: [])
        for step in 0..<steps {
            let w = problem.linear.isEmpty ? [] : problem.linear[step % problem.linear.count]
            let report = try optimizer.step(buffers) { evaluation in
                var loss = 0.0
                for i in 0..<count {
                    let h = problem.curvature.count == 1 ? problem.curvature[0] : problem.curvature[i]
                    let linear = w.isEmpty ? 0 : w[i]
                    let value = Double(theta[i])
                    loss += value * (h * value / 2 + linear)
                    if evaluation.needsGradient { gradient[i] = S(h * value + linear) }
                }
                return loss
            }
            result.theta.append(theta.map { Double($0) })
            result.loss.append(report.loss ?? .nan)
            result.evaluations.append(report.evaluations.gradients)
        }
        return result
    }
}
