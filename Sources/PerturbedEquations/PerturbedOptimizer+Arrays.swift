/// Steps over a single parameter held in an array.
extension PerturbedOptimizer {
    /// Takes one logical step.
    ///
    /// - Precondition: the optimizer has exactly one parameter, of scalar type `S`, of `theta.count` elements.
    @discardableResult
    public func step<S: EquationScalar>(
        _ theta: inout [S], gradient: [S], loss: Double? = nil, measure: Bool = false
    ) throws -> StepReport {
        try step(&theta, S.scalarType, gradient: gradient, S.scalarType, loss, measure)
    }

    /// Takes one logical step on bfloat16 numbers.
    ///
    /// - Precondition: the optimizer has exactly one parameter, of type bfloat16, of `theta.count` elements.
    @discardableResult
    public func step(
        _ theta: inout [BFloat16], gradient: [BFloat16], loss: Double? = nil, measure: Bool = false
    ) throws -> StepReport {
        try step(&theta, .bfloat16, gradient: gradient, .bfloat16, loss, measure)
    }

    /// Takes one logical step on bfloat16 numbers with a float32 gradient.
    ///
    /// - Precondition: the optimizer has exactly one parameter, of type bfloat16, of `theta.count` elements.
    @discardableResult
    public func step(
        _ theta: inout [BFloat16], gradient: [Float], loss: Double? = nil, measure: Bool = false
    ) throws -> StepReport {
        try step(&theta, .bfloat16, gradient: gradient, .float32, loss, measure)
    }

    private func step<P: BitwiseCopyable, G: BitwiseCopyable>(
        _ theta: inout [P], _ scalar: ScalarType, gradient: [G], _ gradientScalar: ScalarType,
        _ loss: Double?,
        _ measure: Bool
    ) throws -> StepReport {
        precondition(
            parameters.count == 1 && parameters[0].count == theta.count && theta.count == gradient.count
                && parameters[0].scalar == scalar,
            "this step is for one \(scalar) parameter of \(theta.count) elements")
        return try theta.withUnsafeMutableBytes { theta in
            try gradient.withUnsafeBytes { gradient in
                // An empty array may have no address; none of its elements is touched.
                let nothing = UnsafeMutableRawPointer(bitPattern: 64)!
                return try step(
                    [
                        ParameterBuffer(
                            parameters: theta.baseAddress ?? nothing,
                            gradient: gradient.baseAddress ?? UnsafeRawPointer(nothing),
                            gradientScalar: gradientScalar)
                    ], loss: loss, measure: measure)
            }
        }
    }
}
