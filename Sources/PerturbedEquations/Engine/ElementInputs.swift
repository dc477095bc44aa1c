/// Numbers per element, besides g, that whoever takes the step can supply for terms that require them.
public enum Signal: String, Sendable, Codable, CaseIterable {
    /// h ≈ diag(∇²L), in units of L/θ².
    case hessianDiagonal
    /// Σᵢ aᵢ·max(gᵢ, 0) over micro-batches with shares aᵢ of the batch, in gradient units.
    case positivePart
    /// Σᵢ √(aᵢ/(m−1))·ξᵢ·(gᵢ − ḡ) over m micro-batches: noise with the covariance of g, in gradient units.
    case microBatchNoise

    var place: Int {
        switch self {
        case .hessianDiagonal: 0
        case .positivePart: 1
        case .microBatchNoise: 2
        }
    }

    /// Whether it comes from the gradients of micro-batches, of which there must then be two or more.
    public var needsMicroBatches: Bool { self != .hessianDiagonal }
}

/// The signals of one parameter during a step: contiguous, of the parameter's shape, in the type of its arithmetic
/// (float32 for bfloat16 parameters), valid until the step returns.
public struct ParameterSignals {
    private var addresses: (UnsafeRawPointer?, UnsafeRawPointer?, UnsafeRawPointer?) = (nil, nil, nil)

    public init() {}

    /// Where the elements of a signal are; nil where it is not supplied.
    public subscript(signal: Signal) -> UnsafeRawPointer? {
        get {
            switch signal {
            case .hessianDiagonal: addresses.0
            case .positivePart: addresses.1
            case .microBatchNoise: addresses.2
            }
        }
        set {
            switch signal {
            case .hessianDiagonal: addresses.0 = newValue
            case .positivePart: addresses.1 = newValue
            case .microBatchNoise: addresses.2 = newValue
            }
        }
    }
}

/// A step whose caller did not supply what a term requires. Nothing was touched.
public struct MissingSignalError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The term, by name.
    public let term: String
    public let signal: Signal
    /// The parameter for which it is missing.
    public let parameter: String

    package init(term: String, signal: Signal, parameter: String) {
        self.term = term
        self.signal = signal
        self.parameter = parameter
    }

    public var description: String {
        "the term \(term) needs the signal \(signal.rawValue), which is not supplied for the parameter "
            + "\"\(parameter)\"; set it in `ParameterBuffer.signals`"
    }
}

/// What a term may read of one block besides g and θ.
struct ElementInputs {
    /// The tensors that the term keeps.
    var stored: StateMemory?
    /// The rule's average of ĝ², whole.
    var secondMoment: UnsafeRawPointer?
    var signals = ParameterSignals()
    var start = 0
    var count = 0
    /// The type of the arithmetic.
    var scalar = ScalarType.float32

    func block<S: EquationScalar>(_ tensor: UnsafeRawPointer, _: S.Type) -> UnsafeBufferPointer<S> {
        precondition(
            S.scalarType == scalar, "the block is computed in \(scalar), not in \(S.scalarType)")
        return UnsafeBufferPointer(
            start: tensor.assumingMemoryBound(to: S.self) + start, count: count)
    }
}

extension Site {
    /// The block of the tensor `number` that the term keeps. Valid during the call.
    public func stored<S: EquationScalar>(_ number: Int, as type: S.Type) -> UnsafeBufferPointer<S> {
        guard let stored = inputs.stored else {
            preconditionFailure("only terms with `storedNames` have stored tensors")
        }
        return inputs.block(stored.tensors[number].baseAddress!, type)
    }

    /// The block of the rule's average of ĝ², as it is before this update (zero before the first), without bias
    /// correction; nil where the rule keeps none. Valid during the call.
    public func secondMoment<S: EquationScalar>(as type: S.Type) -> UnsafeBufferPointer<S>? {
        inputs.secondMoment.map { inputs.block($0, type) }
    }

    /// The block of a required signal. Valid during the call.
    public func signal<S: EquationScalar>(_ signal: Signal, as type: S.Type) -> UnsafeBufferPointer<S> {
        guard let tensor = inputs.signals[signal] else {
            preconditionFailure("the term did not require the signal \(signal.rawValue)")
        }
        return inputs.block(tensor, type)
    }
}
