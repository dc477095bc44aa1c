import Foundation

/// A chart of a report: what is drawn, not how; `report.js` draws it.
struct ReportChart: Encodable {
    enum Kind: String, Encodable {
        /// ``series`` over a common axis.
        case lines
        /// ``rows`` with intervals.
        case forest
        /// The heights ``z`` over a plane.
        case grid
    }

    struct Axis: Encodable {
        /// With its unit.
        var title: String
        var isLogarithmic = false
        /// Whether numbers are shares, shown as percentages.
        var isShare = false
        var range: [Double]?
        var tick: Double?

        init(
            _ title: String, isLogarithmic: Bool = false, isShare: Bool = false, range: [Double]? = nil,
            tick: Double? = nil
        ) {
            self.title = title
            self.isLogarithmic = isLogarithmic
            self.isShare = isShare
            self.range = range
            self.tick = tick
        }
    }

    struct Series: Encodable {
        enum Style: String, Encodable {
            case line, marked, points, bars
            /// A dashed grey line to compare with.
            case reference
        }

        var name: String
        var x: [Double]
        /// nil leaves a gap.
        var y: [Double?]
        /// A band around the line.
        var lower: [Double?]?
        var upper: [Double?]?
        var style = Style.line
        /// The number of its colour, dash and mark.
        var colour = 0
        /// Of bars, in units of x.
        var width: Double?
    }

    /// A row of a forest plot.
    struct Row: Encodable {
        var name: String
        var mean: Double?
        var lower: Double?
        var upper: Double?
        var points: [Double]
        var tone = ReportPage.Tone.neutral
    }

    struct Heights: Encodable {
        var title: String
        var x: [Double]
        var y: [Double]
        /// By y, then x.
        var values: [[Double?]]
    }

    var kind: Kind
    var title: String
    var caption: String?
    var x: Axis
    var y: Axis
    var series: [Series] = []
    /// Where on the x axis something happened: a dotted line each, and what it was.
    var marks: [Double]?
    var rows: [Row]?
    /// The x that rows are compared with.
    var reference: Double?
    var z: Heights?
    /// Whether readers may switch the y axis to a logarithmic one.
    var canBeLogarithmic = false
    /// Whether it takes the whole width.
    var isWide = false

    init(
        lines title: String, x: Axis, y: Axis, _ series: [Series], caption: String? = nil,
        marks: [Double]? = nil,
        isWide: Bool = false
    ) {
        kind = .lines
        self.title = title
        self.x = x
        self.y = y
        self.series = series
        self.caption = caption
        self.marks = marks
        self.isWide = isWide
        // Where all is above zero, and spans more than half a power of ten.
        let values = series.flatMap { $0.y.compactMap { $0 } }
        let (least, most) = (values.min() ?? 0, values.max() ?? 0)
        canBeLogarithmic = least > 0 && most > 3 * least && !y.isShare
    }

    init(forest title: String, x: Axis, _ rows: [Row], reference: Double? = nil, caption: String? = nil) {
        kind = .forest
        self.title = title
        self.x = x
        y = Axis("")
        self.rows = rows
        self.reference = reference
        self.caption = caption
        isWide = true
    }

    init(grid title: String, x: Axis, y: Axis, _ heights: Heights, caption: String? = nil) {
        kind = .grid
        self.title = title
        self.x = x
        self.y = y
        z = heights
        self.caption = caption
    }
}
