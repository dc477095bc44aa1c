import Crypto
import Foundation
import Safetensors

/// Plotly's JavaScript, which draws the charts of reports. It comes with the Python package `plotly`, is kept in the cache,
/// and is put into each report; `scripts/plotly` fetches it.
public enum PlotlyScript {
    /// Of the Python package.
    static let version = "7.1.0"
    /// Of its `package_data/plotly.min.js`.
    static let sha256 = "3b6e15d45dbb7fca5bd2094291e961ddc5472cd887009e6009a56dab668d721f"

    /// Where it is kept: `plotly-<version>/plotly.min.js` in the cache.
    static func place(_ environment: [String: String]) -> URL {
        CacheFolder.place(environment).appendingPathComponent("plotly-\(version)/plotly.min.js")
    }

    /// Its text: of the file that `PEO_PLOTLY` names, or of the cache, which is checked.
    /// - Throws: `FileError` that says how to get it.
    public static func load(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> String {
        let given = environment["PEO_PLOTLY"].flatMap { $0.isEmpty ? nil : URL(fileURLWithPath: $0) }
        let file = given ?? place(environment)
        let data: Data
        do {
            data = try MappedFile.contents(of: file)
        } catch let error as FileError where error.reason == .missing {
            throw FileError(
                path: file.path, operation: .open, reason: .missing,
                detail:
                    "Plotly's JavaScript is not there. Run scripts/plotly of PEO's repository, which fetches it from PyPI "
                    + "(plotly \(version)); or set PEO_PLOTLY to a plotly.min.js, such as the one in the folder that "
                    + "python3 -c 'import plotly; print(plotly.__path__[0])' prints, under package_data")
        }
        func refuse(_ problem: String) -> FileError {
            FileError(path: file.path, operation: .read, reason: .notAFile, detail: problem)
        }
        if given == nil {
            let found = SHA256.hash(data: data).map { String(format: "%02x", $0) }.joined()
            guard found == sha256 else {
                throw refuse("it is not plotly \(version)'s plotly.min.js; remove it and run scripts/plotly")
            }
        }
        guard let text = String(data: data, encoding: .utf8), text.contains("Plotly"),
            text.range(of: "</script", options: .caseInsensitive) == nil
        else { throw refuse("it is not a plotly.min.js that can stand in a page") }
        return text
    }
}
