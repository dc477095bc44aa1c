/// One bar of a reliability diagram: the predictions whose confidence lies in a range.
public struct ReliabilityBin: Codable, Sendable, Equatable {
    /// Confidences in (lower, upper].
    public var lower: Double
    public var upper: Double
    public var count: Int
    /// The mean confidence, and the share of right predictions; nil where there are none.
    public var confidence: Double?
    public var accuracy: Double?
}

/// Whether a classifier is as often right as it says: the expected calibration error over two kinds of bins.
///
/// ```
/// ECE = Σ over bins of (count/n)·|accuracy − confidence|
/// ```
///
/// The confidence of a prediction is the largest class probability. Bins of equal width cut (0, 1] evenly; bins of equal
/// mass have equally many predictions, so that none rests on a handful.
///
/// Sources: Guo, Pleiss, Sun and Weinberger 2017, On Calibration of Modern Neural Networks (15 bins of equal width);
/// Nguyen and O'Connor 2015, Posterior Calibration and Exploratory Analysis for NLP Models (equal mass).
public struct Calibration: Codable, Sendable, Equatable {
    /// In 0...1.
    public var equalWidthError: Double
    public var equalMassError: Double
    public var equalWidth: [ReliabilityBin]
    public var equalMass: [ReliabilityBin]

    /// - Parameters:
    ///   - confidences: in (0, 1].
    ///   - isRight: whether each prediction is.
    ///   - bins: 15 unless told.
    /// - Precondition: as many of both, and one bin at least.
    public init(confidences: [Double], isRight: [Bool], bins: Int = 15) {
        precondition(confidences.count == isRight.count && bins > 0)
        func edge(_ number: Int) -> Double { Double(number) / Double(bins) }
        var members = [[Int]](repeating: [], count: bins)
        for (place, confidence) in confidences.enumerated() {
            var bin = min(max(Int((confidence * Double(bins)).rounded(.up)) - 1, 0), bins - 1)
            // The product is rounded: the edges, as they are told, decide.
            if bin > 0, confidence <= edge(bin) { bin -= 1 }
            if bin < bins - 1, confidence > edge(bin + 1) { bin += 1 }
            members[bin].append(place)
        }
        func bin(_ members: some Collection<Int>, _ range: (Double, Double)) -> ReliabilityBin {
            let count = Double(members.count)
            let confidence = members.reduce(0) { $0 + confidences[$1] } / count
            let right = members.reduce(0) { $0 + (isRight[$1] ? 1 : 0) }
            return ReliabilityBin(
                lower: range.0, upper: range.1, count: members.count,
                confidence: members.isEmpty ? nil : confidence,
                accuracy: members.isEmpty ? nil : Double(right) / count)
        }
        equalWidth = members.enumerated().map { number, members in
            bin(members, (edge(number), edge(number + 1)))
        }
        // Equal confidences stay in the order of the data, so that the bins are a function of it.
        let order = confidences.indices.sorted { (confidences[$0], $0) < (confidences[$1], $1) }
        var (mass, lower) = ([ReliabilityBin](), 0.0)
        for number in 0..<bins {
            let members = order[order.count * number / bins..<order.count * (number + 1) / bins]
            guard let last = members.last else { continue }
            mass.append(bin(members, (lower, confidences[last])))
            lower = confidences[last]
        }
        equalMass = mass
        equalWidthError = Self.error(equalWidth, of: confidences.count)
        equalMassError = Self.error(equalMass, of: confidences.count)
    }

    private static func error(_ bins: [ReliabilityBin], of count: Int) -> Double {
        bins.reduce(0) { sum, bin in
            guard let confidence = bin.confidence, let accuracy = bin.accuracy else { return sum }
            return sum + Double(bin.count) / Double(count) * abs(accuracy - confidence)
        }
    }
}
