/// What an agent may do in an environment.
///
/// Actions of both kinds travel as float32, so that every buffer of actions is one flat array of numbers.
public enum ActionSpace: Sendable, Hashable {
    /// One of n choices, 0 …< n, 1 ≤ n ≤ 2²⁴; written as one whole number.
    case discrete(Int)
    /// Numbers between bounds.
    case continuous(BoxSpace)

    /// How many numbers one action is.
    public var count: Int {
        switch self {
        case .discrete: 1
        case .continuous(let box): box.count
        }
    }

    /// Brings each number of a list of actions into its bounds, as agents with unbounded policies need. A discrete
    /// space changes nothing: there is no nearest choice. NaN stays NaN, and is refused where the action is taken.
    ///
    /// - Precondition: `actions` holds whole actions.
    public func clip(_ actions: inout MutableSpan<Float>) {
        precondition(actions.count % count == 0, "an action of this space has \(count) numbers")
        guard case .continuous(let box) = self else { return }
        for i in actions.indices {
            let element = i % box.count
            if actions[i] < box.low[element] { actions[i] = box.low[element] }
            if actions[i] > box.high[element] { actions[i] = box.high[element] }
        }
    }

    /// What is wrong with the space, or nil.
    var fault: String? {
        switch self {
        case .discrete(let count):
            // Beyond, float32 does not tell whole numbers apart.
            (1...1 << 24).contains(count) ? nil : "has \(count) choices; allowed: 1 to \(1 << 24)"
        case .continuous(let box): box.fault
        }
    }

    /// The first number that is no action, or nil.
    func firstOutside(_ actions: Span<Float>) -> Int? {
        switch self {
        case .discrete(let count):
            let limit = Float(count)
            for i in actions.indices {
                let action = actions[i]
                // Written so that NaN fails.
                guard action >= 0, action < limit, action == action.rounded(.towardZero) else { return i }
            }
        case .continuous(let box):
            var element = 0
            for i in actions.indices {
                guard actions[i] >= box.low[element], actions[i] <= box.high[element] else { return i }
                element = element + 1 == box.count ? 0 : element + 1
            }
        }
        return nil
    }

    /// The values that are allowed for one number of an action.
    func allowed(element: Int) -> String {
        switch self {
        case .discrete(1): "0"
        case .discrete(2): "0 or 1"
        case .discrete(let count): "a whole number from 0 to \(count - 1)"
        case .continuous(let box): "\(box.low[element]) to \(box.high[element])"
        }
    }
}
