import CTorchBridge

extension Tensor {
    private func unary(_ name: StaticString, _ operation: ptb_unary_operation) -> Tensor {
        result(name, self) { ptb_unary(Int32(operation.rawValue), $0, $1) }
    }

    private func binary(_ name: StaticString, _ operation: ptb_binary_operation, _ other: Tensor) -> Tensor {
        result(name, self, other) { ptb_binary(Int32(operation.rawValue), $0, $1, $2) }
    }

    private func binary(_ name: StaticString, _ operation: ptb_binary_operation, _ other: Double) -> Tensor {
        result(name, self) { ptb_binary_scalar(Int32(operation.rawValue), $0, other, $1) }
    }

    // Shapes broadcast as in NumPy and PyTorch.
    public static func + (a: Tensor, b: Tensor) -> Tensor { a.binary("+", PTB_ADD, b) }
    public static func - (a: Tensor, b: Tensor) -> Tensor { a.binary("-", PTB_SUBTRACT, b) }
    public static func * (a: Tensor, b: Tensor) -> Tensor { a.binary("*", PTB_MULTIPLY, b) }
    public static func / (a: Tensor, b: Tensor) -> Tensor { a.binary("/", PTB_DIVIDE, b) }
    public static func + (a: Tensor, b: Double) -> Tensor { a.binary("+", PTB_ADD, b) }
    public static func - (a: Tensor, b: Double) -> Tensor { a.binary("-", PTB_SUBTRACT, b) }
    public static func * (a: Tensor, b: Double) -> Tensor { a.binary("*", PTB_MULTIPLY, b) }
    public static func / (a: Tensor, b: Double) -> Tensor { a.binary("/", PTB_DIVIDE, b) }
    public static func + (a: Double, b: Tensor) -> Tensor { b + a }
    public static func - (a: Double, b: Tensor) -> Tensor { -b + a }
    public static func * (a: Double, b: Tensor) -> Tensor { b * a }
    public static prefix func - (a: Tensor) -> Tensor { a.unary("-", PTB_NEGATE) }

    /// Each element to the power `exponent`.
    public func power(_ exponent: Double) -> Tensor { binary("power", PTB_POWER, exponent) }
    /// The larger of each pair.
    public func maximum(_ other: Tensor) -> Tensor { binary("maximum", PTB_MAXIMUM, other) }
    /// The smaller of each pair.
    public func minimum(_ other: Tensor) -> Tensor { binary("minimum", PTB_MINIMUM, other) }
    /// Each element, moved into `range`.
    public func clamped(to range: ClosedRange<Double>) -> Tensor {
        result("clamped", self) { ptb_clamp($0, range.lowerBound, range.upperBound, $1) }
    }

    public func exp() -> Tensor { unary("exp", PTB_EXP) }
    /// The natural logarithm.
    public func log() -> Tensor { unary("log", PTB_LOG) }
    public func squareRoot() -> Tensor { unary("squareRoot", PTB_SQRT) }
    public func squared() -> Tensor { unary("squared", PTB_SQUARE) }
    public func absolute() -> Tensor { unary("absolute", PTB_ABS) }
    /// −1, 0 or 1.
    public func sign() -> Tensor { unary("sign", PTB_SIGN) }
    public func reciprocal() -> Tensor { unary("reciprocal", PTB_RECIPROCAL) }

    /// max(x, 0).
    public func relu() -> Tensor { unary("relu", PTB_RELU) }
    public func tanh() -> Tensor { unary("tanh", PTB_TANH) }
    /// 1/(1 + e⁻ˣ).
    public func sigmoid() -> Tensor { unary("sigmoid", PTB_SIGMOID) }
    /// x · sigmoid(x).
    public func silu() -> Tensor { unary("silu", PTB_SILU) }
    /// log(1 + eˣ), without overflow.
    public func softplus() -> Tensor { unary("softplus", PTB_SOFTPLUS) }
    /// x · Φ(x); or, with `tanhApproximation`, ½x(1 + tanh(√(2/π)(x + 0.044715x³))).
    public func gelu(tanhApproximation: Bool = false) -> Tensor {
        unary("gelu", tanhApproximation ? PTB_GELU_TANH : PTB_GELU)
    }

    // Comparisons give bool tensors.
    public func equal(to other: Tensor) -> Tensor { binary("equal", PTB_EQUAL, other) }
    public func equal(to value: Double) -> Tensor { binary("equal", PTB_EQUAL, value) }
    public func less(than other: Tensor) -> Tensor { binary("less", PTB_LESS, other) }
    public func less(than value: Double) -> Tensor { binary("less", PTB_LESS, value) }
    public func greater(than other: Tensor) -> Tensor { binary("greater", PTB_GREATER, other) }
    public func greater(than value: Double) -> Tensor { binary("greater", PTB_GREATER, value) }
    /// Where elements are neither infinite nor NaN.
    public func isFinite() -> Tensor { unary("isFinite", PTB_IS_FINITE) }

    /// `self` where `condition` holds, `other` elsewhere.
    public func replaced(with other: Tensor, where condition: Tensor) -> Tensor {
        withExtendedLifetime((self, other, condition)) {
            var handle: OpaquePointer?
            let status = ptb_where(condition.handle, other.handle, self.handle, &handle)
            guard status == 0 else { return failed("replaced", status, [self, other, condition]) }
            return Tensor(adopting: handle.unsafelyUnwrapped)
        }
    }

    /// The matrix product, batched over leading dimensions as in PyTorch.
    public func matmul(_ other: Tensor) -> Tensor { result("matmul", self, other, ptb_matmul) }

    /// `self += scale · other`, in place.
    public func addInPlace(_ other: Tensor, scale: Double = 1) {
        withExtendedLifetime((self, other)) {
            guard ptb_add_in_place(handle, other.handle, scale) == 0 || Libtorch.holdsFailure else {
                trap("addInPlace", [self, other])
            }
        }
    }

    /// `self += weight · (other − self)`, in place: 0 keeps it, 1 makes it `other`.
    public func moveInPlace(towards other: Tensor, by weight: Double) {
        withExtendedLifetime((self, other)) {
            guard ptb_lerp_in_place(handle, other.handle, weight) == 0 || Libtorch.holdsFailure else {
                trap("moveInPlace", [self, other])
            }
        }
    }

    /// `self *= factor`, in place.
    public func scaleInPlace(_ factor: Double) {
        withExtendedLifetime(self) {
            guard ptb_scale_in_place(handle, factor) == 0 || Libtorch.holdsFailure else {
                trap("scaleInPlace", [self])
            }
        }
    }

    /// `self += 1`, in place. Traps for another type than int64.
    public func incrementInPlace() {
        withExtendedLifetime(self) {
            guard ptb_increment(handle) == 0 || Libtorch.holdsFailure else {
                trap("incrementInPlace", [self])
            }
        }
    }

    /// Every element becomes `value`, in place.
    public func fillInPlace(_ value: Double) {
        withExtendedLifetime(self) {
            guard ptb_fill_in_place(handle, value) == 0 || Libtorch.holdsFailure else {
                trap("fillInPlace", [self])
            }
        }
    }
}
