/// The area under the receiver operating characteristic: the chance that a score of the one kind is above a score of the other.
///
/// ```
/// AUROC = P(a > b) + ½·P(a = b) = (R − n(n + 1)/2)/(n·m)
/// ```
///
/// for n scores a, of the kind that scores should be high for, m scores b, and R the sum of the ranks of the a among all. ½ tells
/// nothing apart. Source: Hanley and McNeil 1982; Mann and Whitney 1947.
///
/// - Returns: NaN where there are none of a kind, or a score is NaN.
public func areaUnderROC(positives: [Double], negatives: [Double]) -> Double {
    let scores = positives.map { ($0, true) } + negatives.map { ($0, false) }
    guard !positives.isEmpty, !negatives.isEmpty, !scores.contains(where: { $0.0.isNaN }) else { return .nan }
    let sorted = scores.sorted { $0.0 < $1.0 }
    var (ranks, first) = (0.0, 0)
    while first < sorted.count {
        var end = first + 1
        while end < sorted.count, sorted[end].0 == sorted[first].0 { end += 1 }
        let own = sorted[first..<end].count { $0.1 }
        ranks += Double(own) * Double(first + 1 + end) / 2
        first = end
    }
    let (n, m) = (Double(positives.count), Double(negatives.count))
    return (ranks - n * (n + 1) / 2) / (n * m)
}
