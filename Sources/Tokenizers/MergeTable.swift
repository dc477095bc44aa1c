/// The pairs of tokens that make a new one, by rank.
///
/// A word starts as its bytes; while any neighbours are a pair of the table, the pair of lowest rank, and of these the
/// first, becomes one token. A word of n bytes takes O(n log n). Source: Sennrich, Haddow and Birch 2016, Neural machine
/// translation of rare words with subword units.
struct MergeTable: Sendable {
    struct Merge: Sendable, Hashable {
        var rank: Int32
        var token: Int32
    }

    private var merges: [UInt64: Merge] = [:]
    var count: Int { merges.count }

    private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    /// Adds a pair; the later of two equal ones counts, as in Hugging Face's reader.
    mutating func add(_ left: Int32, _ right: Int32, rank: Int, token: Int32) {
        merges[Self.key(left, right)] = Merge(rank: Int32(rank), token: token)
    }

    /// A pair that waits to be merged.
    private struct Candidate: Comparable {
        var merge: Merge
        var place: Int

        static func < (a: Candidate, b: Candidate) -> Bool {
            (a.merge.rank, a.place) < (b.merge.rank, b.place)
        }
    }

    /// Merges a word's tokens.
    func merged(_ word: [Int32]) -> [Int32] {
        guard word.count > 1 else { return word }
        // A list of the tokens that are left: a token merged into its neighbour becomes −1.
        var tokens = word
        var next = Array(1...word.count)
        var previous = Array(-1..<word.count - 1)
        var waiting = Heap<Candidate>()
        func candidate(at place: Int) -> Candidate? {
            guard place >= 0, next[place] < tokens.count else { return nil }
            return merges[Self.key(tokens[place], tokens[next[place]])].map {
                Candidate(merge: $0, place: place)
            }
        }
        for place in word.indices { if let pair = candidate(at: place) { waiting.insert(pair) } }
        while let best = waiting.removeMinimum() {
            // The neighbours may have changed since.
            guard tokens[best.place] >= 0, candidate(at: best.place)?.merge.token == best.merge.token else {
                continue
            }
            let gone = next[best.place]
            tokens[best.place] = best.merge.token
            tokens[gone] = -1
            next[best.place] = next[gone]
            if next[gone] < tokens.count { previous[next[gone]] = best.place }
            for place in [previous[best.place], best.place] {
                if let pair = candidate(at: place) { waiting.insert(pair) }
            }
        }
        return tokens.filter { $0 >= 0 }
    }
}

/// A binary heap: the least element first.
private struct Heap<Element: Comparable> {
    private var elements: [Element] = []

    mutating func insert(_ element: Element) {
        elements.append(element)
        var child = elements.count - 1
        while child > 0, elements[child] < elements[(child - 1) / 2] {
            elements.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func removeMinimum() -> Element? {
        guard let first = elements.first, let last = elements.popLast() else { return nil }
        guard !elements.isEmpty else { return first }
        elements[0] = last
        var parent = 0
        while true {
            var least = 2 * parent + 1
            if least + 1 < elements.count, elements[least + 1] < elements[least] { least += 1 }
            guard least < elements.count, elements[least] < elements[parent] else { return first }
            elements.swapAt(parent, least)
            parent = least
        }
    }
}
