import Foundation

/// Numbers on a square, what was added to them, one against the other, and the addition's distribution.
struct SquaresPicture {
    /// The numbers, row by row; ``side`` squared of them.
    var before: [Float]
    /// What was added.
    var change: [Float]
    /// What was added in all steps that are counted.
    var all: [Float]
    /// Above the four panels.
    var titles: [String]
    /// Below them.
    var caption: String

    /// The side of the square.
    static let side = 40

    private static let panel = 160.0
    private static let top = 34.0

    /// The picture.
    func svg() -> String {
        let scale = Self.rootMeanSquare(all)
        let left = (0..<4).map { 14 + Double($0) * 186 }
        var lines = [
            #"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 746 232" font-family="system-ui, sans-serif" font-size="12">"#,
            "<style>.ink{fill:#24292f}.line{stroke:#8c959f;fill:none}.plus{fill:#d9480f}.minus{fill:#1c7ed6}"
                + ".dots{stroke:#1c7ed6;stroke-opacity:.45;stroke-linecap:round;fill:none}"
                + ".bars{fill:#1c7ed6;fill-opacity:.6}"
                + "@media (prefers-color-scheme:dark){.ink{fill:#e6edf3}.plus{fill:#ff922b}"
                + ".minus,.bars{fill:#4dabf7}.dots{stroke:#4dabf7}}</style>",
        ]
        lines += Self.image(before, at: left[0], scale: Self.rootMeanSquare(before))
        lines += Self.image(change, at: left[1], scale: scale)
        lines.append(scatter(at: left[2], scale: scale))
        lines.append(histogram(at: left[3], scale: scale))
        for (x, title) in zip(left, titles) {
            lines.append(#"<text class="ink" x="\#(x)" y="\#(Self.top - 12)">\#(title)</text>"#)
            lines.append(
                #"<rect class="line" x="\#(x)" y="\#(Self.top)" width="\#(Self.panel)" height="\#(Self.panel)"/>"#
            )
        }
        lines.append(#"<text class="ink" x="14" y="218">\#(PlotPage.escaped(caption))</text>"#)
        return (lines + ["</svg>", ""]).joined(separator: "\n")
    }

    static func rootMeanSquare(_ x: [Float]) -> Double {
        (x.reduce(0) { $0 + Double($1) * Double($1) } / Double(x.count)).squareRoot()
    }

    private static func text(_ x: Double) -> String { String(format: "%.1f", x) }

    /// The square in eight shades, one path each; runs of one shade along a row are one piece.
    private static func image(_ values: [Float], at left: Double, scale: Double) -> [String] {
        let side = Self.side
        let cell = panel / Double(side)
        var paths: [Int: String] = [:]
        for y in 0..<side {
            var x = 0
            while x < side {
                func shade(_ x: Int) -> Int {
                    guard scale > 0 else { return 0 }
                    return max(-4, min(4, Int((2 * Double(values[y * side + x]) / scale).rounded())))
                }
                let here = shade(x)
                let start = x
                repeat { x += 1 } while x < side && shade(x) == here
                if here != 0 { paths[here, default: ""] += "M\(start) \(y)h\(x - start)v1H\(start)z" }
            }
        }
        return paths.sorted { $0.key < $1.key }.map { shade, path in
            let transform = "translate(\(text(left)) \(text(top))) scale(\(cell))"
            let opacity = Double(abs(shade)) / 4
            return #"<path class="\#(shade > 0 ? "plus" : "minus")" fill-opacity="\#(opacity)" "#
                + #"transform="\#(transform)" d="\#(path)"/>"#
        }
    }

    /// Every second element as a dot, within ±3 of g and ±4 of δ, in units of RMS.
    private func scatter(at left: Double, scale: Double) -> String {
        let size = Self.panel
        let unit = Self.rootMeanSquare(before)
        var path = ""
        for i in stride(from: 0, to: change.count, by: 2) where scale > 0 {
            let x = Double(before[i]) / unit / 4.5
            let y = Double(change[i]) / scale / 4
            guard abs(x) < 1, abs(y) < 1 else { continue }
            path += "M\(Self.text(left + size * (1 + x) / 2)) \(Self.text(Self.top + size * (1 - y) / 2))h0"
        }
        let (middle, centre) = (Self.text(left + size / 2), Self.text(Self.top + size / 2))
        return #"<path class="line" d="M\#(Self.text(left)) \#(centre)h\#(Self.text(size))"#
            + #"M\#(middle) \#(Self.text(Self.top))v\#(Self.text(size))"/>"#
            + #"<path class="dots" stroke-width="2.4" d="\#(path)"/>"#
    }

    /// 41 bars over ±4 RMS of δ; the highest fills the panel.
    private func histogram(at left: Double, scale: Double) -> String {
        let bars = 41
        var counts = [Int](repeating: 0, count: bars)
        for value in all {
            let place = scale > 0 ? Double(value) / scale / 4 : 0
            let bar = Int(((1 + place) / 2 * Double(bars)).rounded(.down))
            if counts.indices.contains(bar) { counts[bar] += 1 }
        }
        let highest = Double(counts.max() ?? 1)
        let width = Self.panel / Double(bars)
        let bottom = Self.top + Self.panel
        let path = counts.enumerated().map { bar, count in
            let height = (Self.panel - 8) * Double(count) / max(highest, 1)
            return "M\(Self.text(left + Double(bar) * width)) \(Self.text(bottom))v\(Self.text(-height))"
                + "h\(Self.text(width))V\(Self.text(bottom))z"
        }
        return #"<path class="bars" d="\#(path.joined())"/>"#
            + #"<path class="line" d="M\#(Self.text(left + Self.panel / 2)) \#(Self.text(Self.top))"#
            + #"v\#(Self.text(Self.panel))"/>"#
    }
}
