import Foundation

/// What an average m ← βm + (1 − β)ĝ from m = 0 must be divided by: 1 − Πβ over its n updates.
///
/// With a constant β that is Adam's 1 − βⁿ. With a scheduled one it is the sum of the weights that the n
/// gradients really have, so that the mean stays unbiased; the product is kept in the rule's memory. (PyTorch
/// takes 1 − β(t)ⁿ with the β of the moment, which is biased while β moves.)
enum BiasCorrection {
    /// - Parameters:
    ///   - product: Πβ over the updates before this one; not looked at for a constant β.
    static func weight(_ beta: Scheduled, product: Double, at time: RuleTime) -> Double {
        if let beta = beta.constant { return 1 - pow(beta, Double(time.update)) }
        return 1 - product * beta.value(at: time.step)
    }

    /// The memory that products of the averages' β need: two ones, or none where both are constant.
    static func initialMemory(_ first: Scheduled, _ second: Scheduled) -> SIMD4<Double>? {
        first.constant != nil && second.constant != nil ? nil : [1, 1, 0, 0]
    }

    static func remember(
        _ memory: inout SIMD4<Double>, _ first: Scheduled, _ second: Scheduled, at time: RuleTime
    ) {
        memory[0] *= first.value(at: time.step)
        memory[1] *= second.value(at: time.step)
    }
}
