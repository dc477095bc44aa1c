import Crypto
import Foundation

/// Makes one HTML file of a page: text and tables as they are, charts as JSON that a script draws with Plotly. It needs no
/// other file and no network.
struct ReportDocument {
    let page: ReportPage
    let plotly: String

    private static let style = String(decoding: PackageResources.report_css, as: UTF8.self)
    private static let script = String(decoding: PackageResources.report_js, as: UTF8.self)

    /// The file's text.
    func html() throws -> String {
        let charts = try Self.json(
            page.sections.flatMap(\.blocks).flatMap { block in
                if case .charts(let charts) = block { charts } else { [ReportChart]() }
            })
        var number = 0
        let sections = page.sections.enumerated().map { place, section in
            """
            <section id="part-\(place)"><h2>\(section.title.inHTML)</h2>
            \(section.blocks.map { html($0, &number) }.joined(separator: "\n"))</section>
            """
        }.joined(separator: "\n")
        // Scripts are allowed by what they are: nothing that a name smuggles in could run, and nothing is fetched.
        let policy =
            "default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; "
            + "script-src \(Self.hash(plotly)) \(Self.hash(Self.script))"
        return """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta http-equiv="Content-Security-Policy" content="\(policy)">
            <title>\(page.title.inHTML) – \(page.kind.inHTML) – PEO</title>
            <style>
            \(Self.style)</style>
            </head>
            <body>
            <header>
            <div class="kind">\(page.kind.inHTML)</div>
            <h1>\(page.title.inHTML)</h1>
            <p>\(page.summary.inHTML)</p>
            \(figures)
            \(contents)
            </header>
            <main>
            <noscript><p class="callout">The charts need JavaScript; the tables do not.</p></noscript>
            \(sections)
            </main>
            <footer>Made by peo \(Experiment.version.inHTML). Charts by Plotly (MIT licence).</footer>
            <script type="application/json" id="charts">\(charts)</script>
            <script>\(plotly)</script>
            <script>\(Self.script)</script>
            </body>
            </html>

            """
    }

    private var figures: String {
        guard !page.figures.isEmpty else { return "" }
        let items = page.figures.map { "<div><dt>\($0.name.inHTML)</dt><dd>\($0.value.inHTML)</dd></div>" }
        return "<dl class=\"figures\">\(items.joined(separator: "\n"))</dl>"
    }

    private var contents: String {
        let links = page.sections.enumerated().map { place, section in
            "<a href=\"#part-\(place)\">\(section.title.inHTML)</a>"
        }
        return "<nav aria-label=\"Contents\">\(links.joined(separator: "\n"))</nav>"
    }

    private func html(_ block: ReportPage.Block, _ number: inout Int) -> String {
        switch block {
        case .text(let text): return "<p>\(text.inHTML)</p>"
        case .callout(let text, let tone):
            return "<div class=\"callout\(tone == .good ? " good" : "")\"><p>\(text.inHTML)</p></div>"
        case .facts(let facts):
            let items = facts.map { "<dt>\($0.name.inHTML)</dt><dd>\($0.value.inHTML)</dd>" }
            return "<dl class=\"facts\">\(items.joined(separator: "\n"))</dl>"
        case .table(let table): return html(table)
        case .charts(let charts):
            let figures = charts.map { chart in
                defer { number += 1 }
                return html(chart, number)
            }
            return "<div class=\"charts\">\(figures.joined(separator: "\n"))</div>"
        case .listing(let title, let text):
            return "<details><summary>\(title.inHTML)</summary><pre>\(text.inHTML)</pre></details>"
        case .folded(let title, let table):
            return "<details><summary>\(title.inHTML)</summary>\(html(table))</details>"
        }
    }

    private func html(_ chart: ReportChart, _ number: Int) -> String {
        """
        <figure\(chart.isWide ? " class=\"wide\"" : "")><h3>\(chart.title.inHTML)</h3>
        <div class="tools"></div>
        <div class="plot" data-chart="\(number)" role="img" aria-label="\(chart.title.inHTML)"></div>
        \(chart.caption.map { "<figcaption>\($0.inHTML)</figcaption>" } ?? "")</figure>
        """
    }

    private func html(_ table: ReportTable) -> String {
        func isNumber(_ column: Int) -> String { table.numeric.contains(column) ? " class=\"number\"" : "" }
        let heads = table.columns.enumerated().map { column, title in
            "<th scope=\"col\"\(isNumber(column))><button type=\"button\">\(title.inHTML)</button></th>"
        }
        let rows = table.rows.map { row in
            let cells = row.enumerated().map { column, cell in
                let value = cell.value.map { " data-value=\"\($0)\"" } ?? ""
                let text = cell.text.inHTML
                let shown =
                    cell.tone == .neutral ? text : "<span class=\"\(cell.tone.rawValue)-text\">\(text)</span>"
                return
                    "<td\(isNumber(column))\(value) data-title=\"\(table.columns[column].inHTML)\">\(shown)</td>"
            }
            return "<tr>\(cells.joined())</tr>"
        }
        return """
            <table\(table.columns.count > 2 ? " class=\"stacks\"" : "")>
            <thead><tr>\(heads.joined())</tr></thead>
            <tbody>\(rows.joined(separator: "\n"))</tbody></table>
            """
    }

    /// JSON that can stand inside a script element.
    private static func json(_ charts: [ReportChart]) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(charts), as: UTF8.self)
            .replacingOccurrences(of: "<", with: "\\u003c")
    }

    private static func hash(_ script: String) -> String {
        "'sha256-\(Data(SHA256.hash(data: Data(script.utf8))).base64EncodedString())'"
    }
}

extension String {
    /// The text as it stands in HTML, also in an attribute.
    var inHTML: String {
        var html = ""
        for character in unicodeScalars {
            switch character {
            case "&": html += "&amp;"
            case "<": html += "&lt;"
            case ">": html += "&gt;"
            case "\"": html += "&quot;"
            case "'": html += "&#39;"
            default: html.unicodeScalars.append(character)
            }
        }
        return html
    }
}
