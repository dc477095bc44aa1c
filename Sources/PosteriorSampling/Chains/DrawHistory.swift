/// The values of functions at some of the draws so far, for diagnostics while a run goes on: every k-th draw, where k is 1
/// and doubles whenever there are more than ``most``.
///
/// What is kept is a function of the number of draws alone, so that a run that was killed goes on with the same values.
struct DrawHistory {
    /// Draws of each chain that are kept at most: enough for R̂ to three digits.
    static let most = 2048

    /// By function, then chain.
    private var kept: [[[Double]]]
    private var every = 1
    private var draws = 0

    init(functions: Int, chains: Int) {
        kept = [[[Double]]](
            repeating: [[Double]](repeating: [], count: chains), count: functions)
    }

    func values(of function: Int) -> [[Double]] { kept[function] }

    /// Takes note of the next draws of all chains.
    /// - Parameter value: of a function, a chain, and a place among the new draws.
    mutating func append(_ count: Int, _ value: (_ function: Int, _ chain: Int, _ place: Int) -> Double) {
        for place in 0..<count {
            defer { draws += 1 }
            guard draws.isMultiple(of: every) else { continue }
            if draws / every == Self.most {
                every *= 2
                for function in kept.indices {
                    for chain in kept[function].indices {
                        let values = kept[function][chain]
                        kept[function][chain] = stride(from: 0, to: values.count, by: 2).map { values[$0] }
                    }
                }
                // 2048 is even, and so the draw that fills it is kept.
            }
            for function in kept.indices {
                for chain in kept[function].indices {
                    kept[function][chain].append(value(function, chain, place))
                }
            }
        }
    }
}
