/// Holm's correction for several tests at once.
public enum HolmCorrection {
    /// The adjusted p-values, in the order given: p̃₍ₖ₎ = max over j ≤ k of min(1, (m − j + 1)·p₍ⱼ₎).
    ///
    /// Refusing the hypotheses with p̃ ≤ α is wrong about any of them with probability α at most.
    ///
    /// Source: S. Holm (1979), *A Simple Sequentially Rejective Multiple Test Procedure*.
    public static func adjusted(_ pValues: [Double]) -> [Double] {
        var adjusted = pValues
        var largest = 0.0
        for (position, index) in pValues.indices.sorted(by: { pValues[$0] < pValues[$1] }).enumerated() {
            largest = max(largest, min(1, Double(pValues.count - position) * pValues[index]))
            adjusted[index] = largest
        }
        return adjusted
    }
}
