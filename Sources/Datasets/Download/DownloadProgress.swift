import Foundation

/// How far a download has come.
public struct DownloadProgress: Sendable, Hashable {
    /// Where the file comes from.
    public let address: URL
    /// Bytes at hand, those of an earlier attempt included.
    public let received: Int
    /// Bytes that the whole file has.
    public let total: Int
}
