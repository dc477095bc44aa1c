/// A chain that has left every place where its density can be computed.
public struct SamplingDivergence: Error, Sendable, CustomStringConvertible {
    /// The number of the chain, from 0.
    public var chain: Int
    /// Steps that the chain had taken.
    public var step: Int
    /// U at the chain's first step, and the last one that was a number.
    public var firstEnergy: Double
    public var lastEnergy: Double
    /// η of the step that could not be taken.
    public var learningRate: Double
    /// Draws of each chain that were taken.
    public var draws: Int

    public var description: String {
        guard step > ChainSampler.patience else { return fromTheStart }
        return
            "chain \(chain) exploded: at step \(step) its gradient was not finite, \(ChainSampler.patience) steps in a row. "
            + energies + "; the step size was \(Self.short(learningRate)). "
            + (lastEnergy > firstEnergy
                ? "Steps that large overshoot further each time: try a learning rate of \(Self.short(learningRate / 10))."
                : "Either the steps are too large, and a learning rate of \(Self.short(learningRate / 10)) may do, or the density has an "
                    + "edge there, beyond which it cannot be computed: transform θ so that it has none.")
            + (draws == 0
                ? " It had no draw yet."
                : " \(draws) draws of each chain were taken, the last of them perhaps far out.")
    }

    /// No step could be taken: whatever the cause is, it is not the size of the steps.
    private var fromTheStart: String {
        "chain \(chain) could take no step: where it begins "
            + (firstEnergy.isFinite
                ? "its energy U is \(Self.short(firstEnergy)), and its gradient is not finite. "
                : "neither its energy U nor its gradient is a finite number. ")
            + "Its steps are not too large, since there was none: look for numbers in the data, or scales of the prior and the "
            + "likelihood, that are too large or too small to compute with, or a start where the density is 0. It had no draw."
    }

    private var energies: String {
        guard lastEnergy.isFinite else { return "Its energy U was never a finite number" }
        let last = "\(Self.short(lastEnergy)) when it could last be computed"
        return firstEnergy.isFinite
            ? "Its energy U was \(Self.short(firstEnergy)) at its first step and \(last)"
            : "Its energy U could not be computed at its first step, and was \(last)"
    }

    /// Three digits.
    private static func short(_ value: Double) -> String {
        guard value.isFinite, value != 0 else { return "\(value)" }
        var (mantissa, exponent) = (abs(value), 0)
        while mantissa >= 10 { (mantissa, exponent) = (mantissa / 10, exponent + 1) }
        while mantissa < 1 { (mantissa, exponent) = (mantissa * 10, exponent - 1) }
        let rounded = (mantissa * 100).rounded() / 100 * (value < 0 ? -1 : 1)
        if (-3..<5).contains(exponent) {
            var scale = 1.0
            for _ in 0..<abs(exponent) { scale *= 10 }
            let plain = exponent < 0 ? rounded / scale : rounded * scale
            return "\((plain * 100_000).rounded() / 100_000)"
        }
        return "\(rounded)e\(exponent)"
    }
}
