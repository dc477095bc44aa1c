import Foundation

/// One box of a picture: lines and dots in the units of its axes.
struct PlotBox {
    /// Colours that both themes know.
    enum Ink: String {
        /// What would be without the thing that is shown.
        case grey
        case blue
        case orange
    }

    let title: String
    let x: ClosedRange<Double>
    let y: ClosedRange<Double>
    /// In picture units.
    var width = 216.0
    static let height = 160.0
    /// Below the box, at its left and right ends: what its width spans.
    var ends: (String, String)?
    private var pieces: [String] = []

    init(_ title: String, x: ClosedRange<Double>, y: ClosedRange<Double>, width: Double = 216) {
        self.title = title
        self.x = x
        self.y = y
        self.width = width
    }

    private func place(_ point: SIMD2<Double>) -> SIMD2<Double> {
        SIMD2(
            (point.x - x.lowerBound) / (x.upperBound - x.lowerBound) * width,
            (1 - (point.y - y.lowerBound) / (y.upperBound - y.lowerBound)) * Self.height)
    }

    private static func text(_ point: SIMD2<Double>) -> String {
        "\(String(format: "%.1f", point.x)) \(String(format: "%.1f", point.y))"
    }

    /// A line through the points; it breaks where one is not finite, and is cut at the box.
    mutating func line(_ points: [SIMD2<Double>], _ ink: Ink, thickness: Double = 1.4) {
        var path = ""
        var isDrawing = false
        for point in points {
            // What is far outside stays outside, and its number short.
            let place = place(point).clamped(
                lowerBound: SIMD2(-width, -Self.height), upperBound: SIMD2(2 * width, 2 * Self.height))
            guard point.x.isFinite, point.y.isFinite else {
                isDrawing = false
                continue
            }
            path += (isDrawing ? "L" : "M") + Self.text(place)
            isDrawing = true
        }
        pieces.append(#"<path class="\#(ink.rawValue)" stroke-width="\#(thickness)" d="\#(path)"/>"#)
    }

    /// A dot for each point within the box.
    mutating func dots(_ points: [SIMD2<Double>], _ ink: Ink, size: Double = 2.6) {
        var path = ""
        for point in points where x.contains(point.x) && y.contains(point.y) {
            path += "M\(Self.text(place(point)))h0"
        }
        pieces.append(
            #"<path class="\#(ink.rawValue)" stroke-opacity=".55" stroke-linecap="round" stroke-width="\#(size)" "#
                + #"d="\#(path)"/>"#)
    }

    /// An ellipse around 0 with these half axes: where a quadratic has one value.
    mutating func ellipse(_ a: Double, _ b: Double) {
        let centre = place(.zero)
        let edge = place(SIMD2(a, b))
        pieces.append(
            String(
                format:
                    #"<ellipse class="line" stroke-opacity=".5" cx="%.1f" cy="%.1f" rx="%.1f" ry="%.1f"/>"#,
                centre.x, centre.y, edge.x - centre.x, centre.y - edge.y))
    }

    /// The box at its place; parts outside it do not show.
    func svg(left: Double, top: Double) -> String {
        let size = #"width="\#(width)" height="\#(Self.height)""#
        var below = ""
        if let ends {
            let y = Self.height + 14
            below =
                #"<text class="ink" font-size="10" y="\#(y)">\#(PlotPage.escaped(ends.0))</text>"#
                + #"<text class="ink" font-size="10" text-anchor="end" x="\#(width)" y="\#(y)">"#
                + "\(PlotPage.escaped(ends.1))</text>"
        }
        return #"<g transform="translate(\#(left) \#(top))"><text class="ink" y="-12">"#
            + "\(PlotPage.escaped(title))</text>"
            + #"<svg \#(size) overflow="hidden">\#(pieces.joined(separator: "\n"))</svg>"#
            + #"<rect class="line" \#(size)/>\#(below)</g>"#
    }
}

/// Boxes side by side, and a line of words below.
struct PlotPage {
    var boxes: [PlotBox]
    var caption: String

    /// The styles of all pictures, for light and dark pages.
    static let style =
        "<style>.ink{fill:#24292f}.line{stroke:#8c959f;fill:none}.grey{stroke:#8c959f;fill:none}"
        + ".blue{stroke:#1c7ed6;fill:none}.orange{stroke:#d9480f;fill:none}"
        + "@media (prefers-color-scheme:dark){.ink{fill:#e6edf3}.blue{stroke:#4dabf7}.orange{stroke:#ff922b}}</style>"

    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
    }

    func svg() -> String {
        var left = 14.0
        var lines: [String] = []
        for box in boxes {
            lines.append(box.svg(left: left, top: 34))
            left += box.width + 18
        }
        let captions = Self.wrapped(caption, characters: Int((left - 28) / 6.2))
        let height = 218 + 16 * captions.count
        let words = captions.enumerated().map { number, line in
            #"<text class="ink" x="14" y="\#(230 + 16 * number)">\#(Self.escaped(line))</text>"#
        }
        let head =
            #"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \#(Int(left)) \#(height + 4)" "#
            + #"font-family="system-ui, sans-serif" font-size="12">"#
        return ([head, Self.style] + lines + words + ["</svg>", ""]).joined(separator: "\n")
    }

    /// Lines of about that many characters, broken between words.
    private static func wrapped(_ text: String, characters: Int) -> [String] {
        var lines: [String] = []
        for word in text.split(separator: " ") {
            if let last = lines.last, last.count + word.count < characters {
                lines[lines.count - 1] = last + " " + word
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }
}
