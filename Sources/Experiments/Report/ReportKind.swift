import Foundation
import Safetensors

/// Something that reports are made of: a run, a comparison. A new one costs a file and a line in ``ReportCatalogue``.
protocol ReportKind: Sendable {
    /// The file that tells a directory of this kind.
    static var marker: String { get }

    /// What the directory holds, as a page.
    /// - Throws: `FileError` and the like, naming the file that cannot be read.
    static func page(of directory: URL) throws -> ReportPage
}

/// Makes reports: what `peo report` does.
public enum ReportCatalogue {
    /// Every kind. The first whose marker a directory has is it: a reproduction may hold a comparison, and a comparison
    /// runs.
    static let kinds: [any ReportKind.Type] = [
        ReproductionPage.self, ComparisonPage.self, SearchPage.self, NoiseRangePage.self, RunPage.self,
    ]

    /// The report on a directory, as one HTML file.
    ///
    /// - Parameter plotly: Plotly's JavaScript; see ``PlotlyScript``.
    /// - Throws: `FileError` where the directory is none of the kinds; what is wrong with its files.
    public static func html(of directory: URL, plotly: String) throws -> String {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: directory.path, isDirectory: &isDirectory),
            isDirectory.boolValue
        else {
            throw FileError(
                path: directory.relativePath, operation: .open, reason: .missing,
                detail: "no directory is there")
        }
        func holds(_ name: String) -> Bool {
            FileManager.default.fileExists(atPath: directory.appendingPathComponent(name).path)
        }
        guard let kind = kinds.first(where: { holds($0.marker) }) else {
            let unfinished =
                holds("comparison.yaml")
                ? "; the comparison here is not finished: the same peo compare goes on" : ""
            throw FileError(
                path: directory.relativePath, operation: .open, reason: .missing,
                detail:
                    "there is nothing to report on here\(unfinished) (a report is of a directory with one of "
                    + "\(kinds.map { $0.marker }.joined(separator: ", ")))")
        }
        return try ReportDocument(page: try kind.page(of: directory), plotly: plotly).html()
    }
}
