import Foundation
import Statistics

extension RunLog.Column {
    /// How many points a line of means has, and from how many on it is one: more are not told apart on a screen.
    private static let (means, mostPoints) = (150, 300)

    /// The column as a line. Of many points neighbours are taken together: the line is their mean, and the band reaches from
    /// the least to the greatest.
    func series(_ name: String, colour: Int, marked: Bool = false) -> ReportChart.Series {
        guard values.count > Self.mostPoints else {
            return ReportChart.Series(
                name: name, x: steps.map(Double.init), y: values.map { $0?.short6 },
                style: marked && values.count <= 60 ? .marked : .line, colour: colour)
        }
        var series = ReportChart.Series(name: name, x: [], y: [], lower: [], upper: [], colour: colour)
        for group in 0..<Self.means {
            let range =
                (values.count * group / Self.means)..<(values.count * (group + 1) / Self.means)
            let known = values[range].compactMap { $0 }
            series.x.append((Double(steps[range.lowerBound] + steps[range.upperBound - 1]) / 2).short6)
            series.y.append(known.isEmpty ? nil : Sample.mean(known).short6)
            series.lower!.append(known.min()?.short6)
            series.upper!.append(known.max()?.short6)
        }
        return series
    }

    /// How many steps a point stands for, in words; nil where each is shown.
    var thinning: String? {
        guard values.count > Self.mostPoints else { return nil }
        return
            "Each point is the mean of about \(values.count / Self.means) logged steps; the band reaches from the "
            + "least to the greatest."
    }
}

extension Double {
    /// The number with six digits: enough for a picture.
    var short6: Double { isFinite ? Double(String(format: "%.6g", self)) ?? self : self }
}
