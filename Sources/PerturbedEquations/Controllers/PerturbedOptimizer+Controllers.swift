/// The closed loops: their factors, and what they are shown.
extension PerturbedOptimizer {
    /// A controller and where it stands.
    public struct ControllerReport: Sendable, Hashable, Codable {
        /// Its name in the catalogue.
        public var name: String
        public var scales: ControlledQuantity
        /// What the quantity is multiplied by in the next step.
        public var factor: Double

        public init(name: String, scales: ControlledQuantity, factor: Double) {
            self.name = name
            self.scales = scales
            self.factor = factor
        }
    }

    /// Where the controllers stand, in the equation's order.
    public var controllers: [ControllerReport] {
        zip(equation.controllers, controllerStates).map {
            ControllerReport(name: $1.name, scales: $0.scales, factor: $1.factor)
        }
    }

    /// The product of the factors on one quantity; 1 without controllers.
    func controlFactor(_ quantity: ControlledQuantity) -> Double {
        var product = 1.0
        for (controller, state) in zip(equation.controllers, controllerStates)
        where controller.scales == quantity {
            product *= state.factor
        }
        return product
    }

    /// What every noise strength is multiplied by in the next step: the cuts after rollbacks, and the controllers'
    /// factors.
    public var strengthFactor: Double { strengthScale }

    var strengthScale: Double { memory.strengthScale * controlFactor(.sigma) }

    /// What the controllers want measured at the next step.
    var controllerNeeds: ControllerNeeds {
        equation.controllers.reduce(into: []) { $0.formUnion($1.needs(at: step)) }
    }

    /// Whether some controller wants `noteSmallBatch` before each step.
    public var needsSmallBatch: Bool { controllerNeeds.contains(.smallBatch) }

    /// Takes note of the gradient of a part of the next step's batch, for controllers that follow the batch's own
    /// noise.
    ///
    /// - Parameters:
    ///   - buffers: as for the step, with the part's gradient.
    ///   - share: what that gradient was multiplied by; 1 for the mean over the part.
    ///   - examples: the part's size, less than the batch's.
    ///   - batch: the size of the whole batch.
    public func noteSmallBatch(_ buffers: [ParameterBuffer], share: Double = 1, examples: Int, of batch: Int)
    {
        precondition(examples >= 1 && share != 0, "a part of a batch has one example or more")
        var squares = [Double](repeating: 0, count: blocks.count)
        squares.withUnsafeMutableBufferPointer { squares in
            nonisolated(unsafe) let squares = squares
            _ = perThread { range, scratch in
                for index in range {
                    let block = blocks[index]
                    let buffer = buffers[block.parameter]
                    guard let gradient = buffer.gradient else { continue }
                    let scalar = buffer.gradientScalar ?? parameters[block.parameter].scalar
                    var start = gradient + block.start * scalar.size
                    if scalar == .bfloat16 {
                        BFloat16.kernels(engine.level).pointee.widen(scratch.gradient, start, block.count)
                        start = UnsafeRawPointer(scratch.gradient)
                    }
                    let kernels =
                        scalar == .float64 ? Double.kernels(engine.level) : Float.kernels(engine.level)
                    squares[index] = kernels.pointee.dot(start, start, block.count)
                }
                return 0
            }
        }
        smallBatch = Observation.SmallBatch(
            examples: Double(examples), squaredNorm: squares.reduce(0, +) / (share * share),
            wholeExamples: Double(batch), wholeSquaredNorm: 0)
    }

    /// Refuses a step without what a controller needs of it.
    func requireSmallBatch() throws {
        guard needsSmallBatch, smallBatch == nil else { return }
        throw ConfigurationError(
            "needs the gradient of a part of the batch at each step; allowed: micro-batches (training.accumulate of 2 "
                + "or more), or noteSmallBatch before each step", path: "controllers")
    }

    /// Shows an applied step to the controllers.
    func observe(_ report: StepReport, _ pass: StepPass) {
        guard !equation.controllers.isEmpty else { return }
        var observation = Observation(step: step, loss: report.loss)
        observation.gradientNorm = report.gradientNorm
        observation.perturbationNorm = report.perturbationNorm
        observation.isBounded =
            report.boundScale < 1 || report.varianceScale < 1 || report.strengthIsBounded
        observation.effect = pass.effect
        observation.strengthScale = memory.strengthScale
        observation.smallBatch = smallBatch
        observation.smallBatch?.wholeSquaredNorm = pass.squaresBeforeClipping
        for (index, controller) in equation.controllers.enumerated() {
            controller.observe(observation, &controllerStates[index])
        }
    }
}
