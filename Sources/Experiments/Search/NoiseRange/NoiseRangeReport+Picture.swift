import Foundation

extension NoiseRangeReport {
    private static let (left, right, top, bottom) = (64.0, 696.0, 44.0, 300.0)

    /// The two losses against σ, with the band, as SVG with colours that read on a light and on a dark page.
    public func svg() -> String {
        let points = range.points
        let sigmas =
            (points.first?.sigma ?? 1)...(points.last.map { max($0.sigma, points[0].sigma * 1.01) } ?? 2)
        let losses = lossRange
        func x(_ sigma: Double) -> Double {
            let share = log(sigma / sigmas.lowerBound) / log(sigmas.upperBound / sigmas.lowerBound)
            return Self.left + (Self.right - Self.left) * min(max(share, 0), 1)
        }
        func y(_ loss: Double) -> Double {
            let share = log(loss / losses.lowerBound) / log(losses.upperBound / losses.lowerBound)
            return Self.bottom - (Self.bottom - Self.top) * min(max(share, 0), 1)
        }
        func path(_ value: (NoiseRange.Point) -> Double?) -> String {
            var text = ""
            for point in points {
                guard let loss = value(point) else { break }
                text += "\(text.isEmpty ? "M" : "L")\(Self.text(x(point.sigma))) \(Self.text(y(loss)))"
            }
            return text
        }
        var lines = [
            #"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 350" font-family="system-ui, sans-serif" font-size="13">"#,
            "<style>.ink{fill:#24292f}.line{stroke:#8c959f;fill:none}.noisy{stroke:#d9480f;fill:none;stroke-width:2}"
                + ".clean{stroke:#1c7ed6;fill:none;stroke-width:2}.band{fill:#2f9e44;fill-opacity:.15}"
                + ".mark{stroke:#8c959f;stroke-dasharray:4 3}"
                + "@media (prefers-color-scheme:dark){.ink{fill:#e6edf3}.noisy{stroke:#ff922b}.clean{stroke:#4dabf7}"
                + ".band{fill:#51cf66}}</style>",
        ]
        if let band = range.band {
            let (from, to) = (x(band.lowerBound), x(band.upperBound))
            lines.append(
                #"<rect class="band" x="\#(Self.text(from))" y="\#(Self.top)" width="\#(Self.text(to - from))" height="\#(Self.bottom - Self.top)"/>"#
            )
        }
        lines.append(
            #"<path class="line" d="M\#(Self.left) \#(Self.top)V\#(Self.bottom)H\#(Self.right)"/>"#)
        lines += Self.decades(sigmas).map { sigma in
            Self.label(String(format: "%g", sigma), x(sigma), Self.bottom + 18, "middle")
                + #"<path class="line" d="M\#(Self.text(x(sigma))) \#(Self.bottom)v5"/>"#
        }
        lines += Self.marks(losses).map { loss in
            Self.label(String(format: "%g", loss), Self.left - 8, y(loss) + 4, "end")
                + #"<path class="line" d="M\#(Self.left) \#(Self.text(y(loss)))h-4"/>"#
        }
        for (sigma, words, side) in [(range.felt, "felt", "end"), (range.broken, "breaks", "start")] {
            guard let sigma else { continue }
            lines.append(
                #"<path class="mark" d="M\#(Self.text(x(sigma))) \#(Self.top)V\#(Self.bottom)"/>"#
                    + Self.label(words, x(sigma) + (side == "end" ? -4 : 4), Self.top - 6, side))
        }
        lines += [
            #"<path class="clean" d="\#(path(\.clean))"/>"#, #"<path class="noisy" d="\#(path(\.noisy))"/>"#,
            Self.label(
                "training loss, with \(noise) noise (orange) and without (blue)", Self.left, 18, "start"),
            Self.label(
                "σ, in units of each tensor's RMS gradient", (Self.left + Self.right) / 2, Self.bottom + 40,
                "middle"),
            "</svg>", "",
        ]
        return lines.joined(separator: "\n")
    }

    private static func text(_ x: Double) -> String { String(format: "%.1f", x) }

    private static func label(_ words: String, _ x: Double, _ y: Double, _ anchor: String) -> String {
        #"<text class="ink" x="\#(text(x))" y="\#(text(y))" text-anchor="\#(anchor)">\#(words)</text>"#
    }

    /// From the smallest loss to a little above the largest without noise.
    private var lossRange: ClosedRange<Double> {
        let positive = range.points.flatMap { [$0.clean, $0.noisy ?? 0] }.filter { $0 > 0 }
        let clean = range.points.map(\.clean).filter { $0 > 0 }
        guard let lowest = positive.min(), let highest = clean.max() else { return 0.1...1 }
        return (lowest / 1.2)...(highest * 1.5)
    }

    /// One, two and five times the powers of ten in a range; of a wide one the powers alone.
    private static func marks(_ range: ClosedRange<Double>) -> [Double] {
        let whole = decades(range)
        guard whole.count < 3 else { return whole }
        let wide = decades((range.lowerBound / 10)...range.upperBound)
        return wide.flatMap { [$0, 2 * $0, 5 * $0] }.filter(range.contains)
    }

    /// The powers of ten in a range.
    private static func decades(_ range: ClosedRange<Double>) -> [Double] {
        let first = Int(log10(range.lowerBound).rounded(.up))
        let last = Int(log10(range.upperBound).rounded(.down))
        return first <= last ? (first...last).map { pow(10, Double($0)) } : []
    }
}
