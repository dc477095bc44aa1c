/// The name that a misspelt one most likely means, or `nil` if none is close.
///
/// Close is an edit distance (insertions, deletions, replacements and swaps of neighbours; letter case
/// does not count) of at most a third of the longer name's length, at least 1; failing that, the first
/// name that begins with `name` or the other way round. Ties go to the earlier name.
///
/// ```swift
/// nearestName(to: "gausian", among: ["uniform", "gaussian"])   // "gaussian"
/// ```
///
/// - Complexity: O(names × length²); names beyond 100 characters match nothing.
public func nearestName(to name: String, among names: some Sequence<String>) -> String? {
    let wanted = Array(name.lowercased())
    guard !wanted.isEmpty, wanted.count <= 100 else { return nil }
    var best: (name: String, distance: Int)?
    var byPrefix: String?
    for candidate in names where candidate.count <= 100 {
        let letters = Array(candidate.lowercased())
        let distance = editDistance(wanted, letters)
        if distance <= max(1, max(wanted.count, letters.count) / 3), distance < best?.distance ?? .max {
            best = (candidate, distance)
        }
        let isPrefix = letters.starts(with: wanted) || (!letters.isEmpty && wanted.starts(with: letters))
        if byPrefix == nil && isPrefix { byPrefix = candidate }
    }
    return best?.name ?? byPrefix
}

/// The optimal-string-alignment distance of Damerau and Levenshtein.
private func editDistance(_ a: [Character], _ b: [Character]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...b.count)
    for i in a.indices {
        var row = [i + 1]
        for j in b.indices {
            var distance = min(last[j + 1], row[j]) + 1
            distance = min(distance, last[j] + (a[i] == b[j] ? 0 : 1))
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                distance = min(distance, beforeLast[j - 1] + 1)
            }
            row.append(distance)
        }
        (beforeLast, last) = (last, row)
    }
    return last[b.count]
}
