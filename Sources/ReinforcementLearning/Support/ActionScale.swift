import Environments
import PerturbedEquations

/// Between actions from −1 to 1, in which agents think, and an environment's own bounds.
struct ActionScale {
    private let box: BoxSpace

    /// - Throws: `ConfigurationError` where an element has no bounds.
    init(of copies: VectorEnvironment) throws {
        guard case .continuous(let box) = copies.actionSpace else {
            preconditionFailure("a discrete action has no scale")
        }
        if let i = box.low.indices.first(where: { !(box.high[$0] - box.low[$0]).isFinite }) {
            throw ConfigurationError(
                "'\(copies.name)' has an action without bounds: element \(i) is from \(box.low[i]) to \(box.high[i]); "
                    + "allowed: finite bounds, onto which −1 … 1 is scaled", path: "environment")
        }
        self.box = box
    }

    /// Scales actions from −1 … 1 to the environment's bounds.
    func scale(_ actions: inout MutableSpan<Float>) {
        for i in actions.indices {
            let (low, high) = (box.low[i % box.count], box.high[i % box.count])
            // The clip is for the rounding.
            actions[i] = min(max(low + (actions[i] + 1) * 0.5 * (high - low), low), high)
        }
    }
}
