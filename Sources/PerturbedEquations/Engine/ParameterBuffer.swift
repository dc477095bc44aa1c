/// A parameter tensor as the optimizer knows it: its name, shape and scalar type.
public struct ParameterSpec: Sendable, Hashable, Codable {
    public let name: String
    public let shape: [Int]
    public let scalar: ScalarType

    public init(_ name: String, shape: [Int], scalar: ScalarType = .float32) {
        self.name = name
        self.shape = shape
        self.scalar = scalar
    }

    /// The number of elements.
    public var count: Int { shape.reduce(1, *) }
}

/// The memory of one parameter and its gradient during a step.
///
/// Both are contiguous, in row-major order, and valid until the step returns; θ has the parameter's scalar type.
/// The optimizer writes θ and reads g.
public struct ParameterBuffer {
    public let parameters: UnsafeMutableRawPointer
    /// nil where there is no gradient in this step: the parameter and its state stay as they are.
    public let gradient: UnsafeRawPointer?
    /// The gradient's scalar type; nil is the parameter's. float32 and bfloat16 go together either way round.
    public let gradientScalar: ScalarType?
    /// max |gᵢ| where whoever made the gradient knows it, NaN where an element is NaN; nil: unknown.
    ///
    /// The finite check takes it at its word and leaves this gradient unread; see
    /// ``PerturbedOptimizer/gainsFromLargestGradient``.
    public let largestGradient: Double?
    /// What terms may require besides g.
    public var signals: ParameterSignals

    public init(
        parameters: UnsafeMutableRawPointer, gradient: UnsafeRawPointer?, gradientScalar: ScalarType? = nil,
        largestGradient: Double? = nil, signals: ParameterSignals = ParameterSignals()
    ) {
        self.parameters = parameters
        self.gradient = gradient
        self.gradientScalar = gradientScalar
        self.largestGradient = largestGradient
        self.signals = signals
    }
}
