/// Picks, from a list of allowed names, the one that a misspelt name was probably meant to be.
public enum NearestName {
    /// The allowed name nearest to `name` (edits and swaps counted, letter case ignored), if one is near enough
    /// to be a misspelling: at most a third of its length, and at least one edit, away.
    public static func of(_ name: String, in allowed: some Collection<String>) -> String? {
        let lowered = name.lowercased()
        let best = allowed.map { (name: $0, distance: distance(lowered, $0.lowercased())) }
            .min { ($0.distance, $0.name) < ($1.distance, $1.name) }
        guard let best, best.distance <= max(1, max(name.count, best.name.count) / 3) else {
            return allowed.filter { lowered.count >= 3 && $0.lowercased().hasPrefix(lowered) }.min()
        }
        return best.name
    }

    /// ` (did you mean 'epochs'?)`, or nothing.
    public static func hint(_ name: String, in allowed: some Collection<String>) -> String {
        of(name, in: allowed).map { "; did you mean '\($0)'?" } ?? ""
    }

    /// The optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours.
    package static func distance(_ a: String, _ b: String) -> Int {
        let a = Array(a.prefix(64))
        let b = Array(b.prefix(64))
        var beforeLast = [Int]()
        var last = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var best = min(row[j] + 1, last[j + 1] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                    best = min(best, beforeLast[j - 1] + 1)
                }
                row.append(best)
            }
            (beforeLast, last) = (last, row)
        }
        return last[b.count]
    }
}
