import Foundation

/// Where PEO's scripts keep what they fetch.
enum CacheFolder {
    /// `PEO_CACHE`, `$XDG_CACHE_HOME/peo` or `~/.cache/peo`, as the scripts have it.
    static func place(_ environment: [String: String]) -> URL {
        func folder(_ name: String) -> URL? {
            environment[name].flatMap { $0.isEmpty ? nil : URL(fileURLWithPath: $0) }
        }
        return folder("PEO_CACHE") ?? folder("XDG_CACHE_HOME")?.appendingPathComponent("peo")
            ?? FileManager.default.homeDirectoryForCurrentUser.appendingPathComponent(".cache/peo")
    }
}
