/// θ and its gradient in memory of their own, which stays where it is: what an optimizer of one tensor is lent at each step.
package final class ParameterArrays<Scalar: EquationScalar> {
    /// θ, as it is now.
    package let theta: UnsafeMutableBufferPointer<Scalar>
    package let gradient: UnsafeMutableBufferPointer<Scalar>
    /// Both, for `PerturbedOptimizer.step`.
    package let buffers: [ParameterBuffer]

    /// θ as given, and a gradient of zeros.
    package init(_ start: [Scalar]) {
        theta = .allocate(capacity: start.count)
        gradient = .allocate(capacity: start.count)
        _ = theta.initialize(fromContentsOf: start)
        gradient.initialize(repeating: 0)
        buffers = [
            ParameterBuffer(
                parameters: UnsafeMutableRawPointer(theta.baseAddress!),
                gradient: UnsafeRawPointer(gradient.baseAddress!))
        ]
    }

    deinit {
        theta.deallocate()
        gradient.deallocate()
    }
}
