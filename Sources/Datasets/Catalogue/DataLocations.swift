import Foundation

/// Where the files of data sets are looked for and put.
///
/// A file `f` of data set `d` is taken from the first `d/f` or `d/f` without `.gz` in the folders of
/// ``searchFolders``, then from the cache, and is else downloaded into the cache.
public struct DataLocations: Sendable {
    /// Folders that the user names in `PEO_DATA`, separated by colons; never written to.
    public var searchFolders: [URL]
    /// Where downloads go: `$XDG_CACHE_HOME/peo/data`, or `~/.cache/peo/data`.
    public var cacheFolder: URL
    /// Fetches files; replace it to change timeouts or to forbid the network.
    public var downloader: Downloader

    /// The locations that the environment variables `PEO_DATA`, `XDG_CACHE_HOME` and `HOME` say.
    public init(
        environment: [String: String] = ProcessInfo.processInfo.environment,
        downloader: Downloader = Downloader()
    ) {
        searchFolders = (environment["PEO_DATA"] ?? "").split(separator: ":").map {
            URL(fileURLWithPath: String($0), isDirectory: true)
        }
        let home = environment["HOME"].map { URL(fileURLWithPath: $0, isDirectory: true) }
        // The XDG specification says to ignore relative paths.
        let cache =
            environment["XDG_CACHE_HOME"].flatMap {
                $0.hasPrefix("/") ? URL(fileURLWithPath: $0, isDirectory: true) : nil
            } ?? (home ?? FileManager.default.temporaryDirectory).appendingPathComponent(".cache")
        cacheFolder = cache.appendingPathComponent("peo/data", isDirectory: true)
        self.downloader = downloader
    }

    /// The file's place on this machine, after a download if that is needed.
    ///
    /// - Throws: ``DatasetError`` that names where the file was looked for, why it could not be fetched,
    ///   and what to do.
    public func locate(_ file: RemoteFile, of dataset: String) throws -> URL {
        if let url = find(file, of: dataset) { return url }
        let cached = cacheFolder.appendingPathComponent(dataset).appendingPathComponent(file.name)
        do {
            try downloader.fetch(file, to: cached)
        } catch let error as DatasetError {
            let places =
                searchFolders.isEmpty
                ? "PEO_DATA is not set"
                : "not in PEO_DATA (\(searchFolders.map(\.path).joined(separator: ":")))"
            throw DatasetError(
                error.code,
                "data set '\(dataset)' needs \(file.name): \(places), not in the cache (\(cached.path)), and "
                    + "\(error.message). Put the file, compressed or not, at \(dataset)/\(file.name) below a "
                    + "folder and name that folder in PEO_DATA, or put it into the cache")
        }
        return cached
    }

    /// The file's place on this machine, if it is there; nothing is downloaded.
    public func find(_ file: RemoteFile, of dataset: String) -> URL? {
        for folder in searchFolders {
            for name in file.localNames {
                let candidate = folder.appendingPathComponent(dataset).appendingPathComponent(name)
                if FileManager.default.fileExists(atPath: candidate.path) { return candidate }
            }
        }
        let cached = cacheFolder.appendingPathComponent(dataset).appendingPathComponent(file.name)
        return FileManager.default.fileExists(atPath: cached.path) ? cached : nil
    }
}
