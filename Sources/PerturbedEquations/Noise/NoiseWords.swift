/// The raw random words of many addresses as one sequence, for statistical batteries.
///
/// A battery sees one sequence; addressed noise has many, and neighbours must not be related either. Each order
/// counts up one part of the address, so that whatever ties neighbouring addresses together stands side by side:
///
/// ```
/// elements     (seed, step 0, parameter 0, term 0), elements 0, 1, 2…
/// steps        the elements 0…3 of steps 0, 1, 2…
/// parameters   the elements 0…3 of parameters 0, 1, 2…
/// terms        the elements 0…3 of all 2¹² terms of 2⁴ draws, then the elements 4…7 of them…
/// seeds        the elements 0…3 under the seeds s, s + 1, s + 2…
/// ```
///
/// `peo noise words` writes them to standard output.
public struct NoiseWords: Sendable {
    /// Which part of the address is counted up.
    public enum Order: String, Sendable, CaseIterable {
        case elements, steps, parameters, terms, seeds
    }

    public let seed: UInt64
    public let order: Order

    public init(seed: UInt64, order: Order) {
        self.seed = seed
        self.order = order
    }

    /// How many groups of four words there are before an address would come up again.
    public var groups: UInt64 {
        switch order {
        case .elements: 1 << 48
        case .steps, .parameters: 1 << 32
        case .terms: 1 << 48
        case .seeds: .max
        }
    }

    /// Writes the words of as many groups of four as `output` holds, from group `first` on.
    ///
    /// - Precondition: `output` holds whole groups, and there are that many.
    public func write(to output: UnsafeMutableBufferPointer<UInt32>, from first: UInt64) {
        let count = UInt64(output.count / 4)
        precondition(output.count % 4 == 0, "words come in groups of four")
        precondition(first <= groups && count <= groups - first, "there are \(groups) groups of words")
        if case .elements = order { return stream(at: first).words(into: output) }
        for group in 0..<count {
            let place = Int(4 * group)
            stream(at: first + group).words(into: .init(rebasing: output[place..<place + 4]))
        }
    }

    /// The stream that stands at a group.
    private func stream(at group: UInt64) -> NoiseStream {
        let key = NoiseKey(seed: seed)
        switch order {
        case .elements:
            return NoiseStream(key: key, step: 0, parameter: 0, term: 0, firstElement: 4 * group)
        case .steps: return NoiseStream(key: key, step: Int(group), parameter: 0, term: 0)
        case .parameters: return NoiseStream(key: key, step: 0, parameter: Int(group), term: 0)
        case .terms:
            let term = Int(group & 0xFFFF)
            return NoiseStream(
                key: key, step: 0, parameter: 0, term: term >> 4, draw: term & 15,
                firstElement: 4 * (group >> 16))
        case .seeds:
            return NoiseStream(key: NoiseKey(seed: seed &+ group), step: 0, parameter: 0, term: 0)
        }
    }
}
