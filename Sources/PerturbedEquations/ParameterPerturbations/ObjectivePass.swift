import CPerturbationKernels
import Foundation

/// The evaluations of one step: what a parameter perturbation works with.
public final class ObjectivePass {
    let optimizer: PerturbedOptimizer
    private let objective: (ObjectiveEvaluation) throws -> Double
    private let lend: () throws -> [ParameterBuffer]
    /// θ and g, as last lent.
    private(set) var buffers: [ParameterBuffer]
    private(set) var counts = EvaluationCounts()
    /// The loss of the step's first evaluation; nil before it.
    private(set) var firstLoss: Double?
    private(set) var isPerturbed = false
    /// What `shift` has added, by draw.
    private var shifts: [Int: Double] = [:]
    private var commits: [() -> Void] = []
    /// How often θ̃ was written: tells roundings to bfloat16 apart.
    private var roundings = 0
    /// ‖g‖² of each tensor, of the last evaluation.
    private var squares: [Double] = []
    /// The numbers that are kept between steps; a step that is not applied leaves them as they were.
    public var memory: [Double]

    init(
        _ optimizer: PerturbedOptimizer, lend: @escaping () throws -> [ParameterBuffer],
        objective: @escaping (ObjectiveEvaluation) throws -> Double
    ) throws {
        self.optimizer = optimizer
        self.lend = lend
        self.objective = objective
        buffers = try lend()
        memory = optimizer.objectiveMemory
    }

    /// The logical step.
    public var step: Int { optimizer.step }
    /// The parameters, in order.
    public var parameters: [ParameterSpec] { optimizer.parameters }

    /// What every noise strength is multiplied by at this step: the cuts after rollbacks, and the controllers' factors. A
    /// perturbation that is noise multiplies its strength by it, and says so by `isNoise`.
    public var strengthScale: Double { optimizer.strengthScale }
    /// How many blocks the parameters have.
    var blockCount: Int { optimizer.blocks.count }

    // MARK: Evaluation

    /// The loss at θ̃; the gradient buffers hold its gradient.
    ///
    /// - Throws: what the objective throws; and, unless `stability.skipNonFinite` is off, an error that skips
    ///   the step if the gradient is not finite.
    @discardableResult
    public func evaluate() throws -> Double {
        let loss = try call(needsGradient: true)
        counts.gradients += 1
        buffers = try lend()
        precondition(
            buffers.count == parameters.count, "one buffer for each of \(parameters.count) parameters")
        let moments = run(GradientMoments())
        squares = moments.map { $0[0] }
        if optimizer.equation.stability.skipNonFinite && moments.contains(where: { $0[1] != 0 }) {
            throw EvaluationNotFinite()
        }
        return loss
    }

    /// The loss at θ̃ alone.
    public func evaluateLoss() throws -> Double {
        let loss = try call(needsGradient: false)
        counts.losses += 1
        return loss
    }

    private func call(needsGradient: Bool) throws -> Double {
        let loss = try objective(
            ObjectiveEvaluation(
                step: step, number: counts.gradients + counts.losses, needsGradient: needsGradient))
        if firstLoss == nil { firstLoss = loss }
        return loss
    }

    /// ‖g‖ over all parameters, of the last evaluation.
    public var gradientNorm: Double { squares.reduce(0, +).squareRoot() }

    /// ‖g‖ of each parameter, of the last evaluation.
    public var gradientNorms: [Double] { squares.map { $0.squareRoot() } }

    /// Skips the step if `value` is not finite, unless `stability.skipNonFinite` is off.
    public func requireFinite(_ value: Double) throws {
        if !value.isFinite && optimizer.equation.stability.skipNonFinite { throw EvaluationNotFinite() }
    }

    // MARK: Arithmetic

    /// Runs `work` on every block, on the engine's threads.
    ///
    /// - Returns: the sums over each parameter.
    @discardableResult
    public func run(_ work: some BlockWork) -> [SIMD4<Double>] {
        walk(work, writing: false, copying: false)
    }

    /// The same for work that writes θ̃: θ is copied first, once a step.
    @discardableResult
    public func perturb(_ work: some BlockWork) -> [SIMD4<Double>] {
        walk(work, writing: true, copying: true)
    }

    /// Runs `work` once the step has been applied, and only then: for what is kept between steps. g and the
    /// temporary tensors are as the last evaluation and the last work left them.
    public func commit(_ work: some BlockWork) {
        commits.append { [unowned self] in run(work) }
    }

    /// θ̃ ← θ̃ + scale·ξ of a draw, without a copy of θ: `restore` takes off what was added, up to rounding.
    func shift(by scale: Double, draw: Int) {
        shifts[draw, default: 0] += scale
        walk(ShiftWork(scale: scale, draw: draw), writing: true, copying: false)
    }

    /// θ̃ ← θ, to the bit where there is a copy.
    public func restore() {
        if isPerturbed { optimizer.restoreParameters(buffers) }
        isPerturbed = false
        for (draw, scale) in shifts.sorted(by: { $0.key < $1.key }) where scale != 0 {
            shift(by: -scale, draw: draw)
        }
    }

    func runCommits() {
        for commit in commits { commit() }
        commits = []
    }

    /// - Parameters:
    ///   - writing: whether `work` writes θ̃.
    ///   - copying: whether θ must have been copied aside first.
    @discardableResult
    private func walk(_ work: some BlockWork, writing: Bool, copying: Bool) -> [SIMD4<Double>] {
        let saving = copying && !isPerturbed
        if copying { isPerturbed = true }
        optimizer.prepareWorkspace(copying: copying)
        let lending = BlockLending(
            optimizer: optimizer, buffers: buffers, hasCopy: isPerturbed, rounding: roundings)
        if writing { roundings += 1 }
        let blocks = optimizer.blocks
        var partial = [SIMD4<Double>](repeating: .zero, count: blocks.count)
        partial.withUnsafeMutableBufferPointer { partial in
            nonisolated(unsafe) let partial = partial
            _ = optimizer.perThread { range, scratch in
                for index in range {
                    let block = blocks[index]
                    if saving { lending.save(block) }
                    switch optimizer.parameters[block.parameter].scalar {
                    case .float32: partial[index] = work.run(lending.lend(Float.self, block, scratch))
                    case .float64: partial[index] = work.run(lending.lend(Double.self, block, scratch))
                    case .bfloat16:
                        partial[index] = work.run(lending.lend(Float.self, block, scratch))
                        if writing { lending.roundBack(block, scratch) }
                    }
                }
                return 0
            }
        }
        var sums = [SIMD4<Double>](repeating: .zero, count: parameters.count)
        for (block, part) in zip(blocks, partial) { sums[block.parameter] += part }
        return sums
    }

    /// θ̃ ← θ̃ + scale·ξ
    private struct ShiftWork: BlockWork {
        let scale: Double
        let draw: Int

        func run<S: EquationScalar>(_ block: ObjectiveBlock<S>) -> SIMD4<Double> {
            block.addNoise(.normal, scale: scale, draw: draw, to: block.parameters)
            return .zero
        }
    }

    /// ‖g‖² and how many elements of g are not finite.
    private struct GradientMoments: BlockWork {
        func run<S: EquationScalar>(_ block: ObjectiveBlock<S>) -> SIMD4<Double> {
            guard let gradient = block.gradient else { return .zero }
            let moments = S.kernels(block.level).pointee.moments(gradient.baseAddress, gradient.count)
            return [moments.sum_squares, Double(moments.nonfinite), 0, 0]
        }
    }
}

/// Ends a step in which an evaluation was not finite: it is skipped.
struct EvaluationNotFinite: Error {}
