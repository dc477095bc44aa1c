import CTorchBridge

extension Tensor {
    /// Whether operations on this tensor are recorded for the backward pass.
    public var requiresGradient: Bool { withExtendedLifetime(self) { ptb_requires_gradient(handle) } }

    /// Asks for gradients, and returns the same tensor. Traps for one that is computed, or not of a
    /// floating-point type.
    @discardableResult
    public func requiringGradient(_ required: Bool = true) -> Tensor {
        withExtendedLifetime(self) {
            guard ptb_set_requires_gradient(handle, required) == 0 else { trap("requiringGradient", [self]) }
            return self
        }
    }

    /// The same elements, cut off from the graph. Shares memory.
    public func detached() -> Tensor { result("detached", self, ptb_detach) }

    /// Adds ∂self/∂θ to the gradient of every leaf θ, and frees the graph.
    /// - Parameter keepGraph: keeps it, for a second backward pass.
    /// - Throws: `TorchError` where `self` is not a scalar or has no graph, or there is no memory.
    public func backward(keepGraph: Bool = false) throws(TorchError) {
        try check("backward", withExtendedLifetime(self) { ptb_backward(handle, keepGraph) })
    }

    /// ∂(Σ weights·outputs)/∂x of each of `inputs`, without touching their `gradient`; nil where the outputs do not
    /// depend on x.
    ///
    /// - Parameters:
    ///   - outputs: scalars, or with `weights` tensors of any shape.
    ///   - weights: of the shapes of the outputs.
    ///   - keepGraph: keeps the graph, for another pass through it.
    ///   - differentiable: records the result, for a second derivative; keeps the graph too.
    /// - Throws: `TorchError` where an output has no graph, or there is no memory.
    public static func gradients(
        of outputs: [Tensor], weights: [Tensor]? = nil, at inputs: [Tensor], keepGraph: Bool = false,
        differentiable: Bool = false
    ) throws(TorchError) -> [Tensor?] {
        var found = [OpaquePointer?](repeating: nil, count: inputs.count)
        let status = withExtendedLifetime((outputs, weights, inputs)) {
            ptb_gradients(
                outputs.map(\.handle), weights?.map(\.handle), outputs.count, inputs.map(\.handle),
                inputs.count, keepGraph, differentiable, &found)
        }
        let tensors = found.map { $0.map(Tensor.init(adopting:)) }
        try check("gradients", status)
        return tensors
    }

    /// What backward passes have added up; nil where there was none since the last `zeroGradient`.
    public var gradient: Tensor? {
        get {
            withExtendedLifetime(self) {
                var gradient: OpaquePointer?
                guard ptb_gradient(handle, &gradient) == 0 else { trap("gradient", [self]) }
                return gradient.map(Tensor.init(adopting:))
            }
        }
        nonmutating set {
            withExtendedLifetime((self, newValue)) {
                guard ptb_set_gradient(handle, newValue?.handle) == 0 else {
                    trap("gradient", [self, newValue].compactMap { $0 })
                }
            }
        }
    }

    /// Removes the gradient (it does not fill it with zeros).
    public func zeroGradient() { gradient = nil }
}

/// Runs `body` without recording operations for a backward pass, on this thread only.
public func withoutGradients<Result, Failure: Error>(
    _ body: () throws(Failure) -> Result
) throws(Failure) -> Result {
    let before = ptb_set_gradient_mode(false)
    defer { _ = ptb_set_gradient_mode(before) }
    return try body()
}

/// Runs `body` with recording on, inside a `withoutGradients`, on this thread only.
public func withGradients<Result, Failure: Error>(
    _ body: () throws(Failure) -> Result
) throws(Failure) -> Result {
    let before = ptb_set_gradient_mode(true)
    defer { _ = ptb_set_gradient_mode(before) }
    return try body()
}

/// Whether this thread records operations for a backward pass.
public var gradientsAreRecorded: Bool { ptb_gradient_mode() }

/// Runs `body` with attention, recurrent layers and perceptrons by operations that can be derived twice, on this thread only: libtorch's
/// fused ones have a first derivative only. Values differ by float rounding. For the forward passes of losses whose
/// `gradients(differentiable: true)` are derived again.
public func withSecondDerivatives<Result, Failure: Error>(
    _ body: () throws(Failure) -> Result
) throws(Failure) -> Result {
    let before = ptb_set_derives_twice(true)
    defer { _ = ptb_set_derives_twice(before) }
    return try body()
}
