import Foundation

/// A published file: where to get it and how to know it.
public struct RemoteFile: Sendable, Hashable {
    /// The file's name, the same in every place.
    public let name: String
    /// Where it is published; later addresses are tried when earlier ones fail.
    public let addresses: [URL]
    /// The published size and MD5 of the file as downloaded.
    public let byteCount: Int
    public let md5: String
    /// The SHA-256 of the contents after decompression, which does not depend on who compressed them; nil where only
    /// ``sha256`` is published.
    public let contentSHA256: String?
    /// The SHA-256 of the file as downloaded; nil where ``contentSHA256`` is checked.
    public let sha256: String?

    public init(
        name: String, addresses: [URL], byteCount: Int, md5: String, contentSHA256: String? = nil,
        sha256: String? = nil
    ) {
        self.name = name
        self.addresses = addresses
        self.byteCount = byteCount
        self.md5 = md5
        self.contentSHA256 = contentSHA256
        self.sha256 = sha256
    }

    /// The names under which a user may have it: as published, and decompressed.
    public var localNames: [String] {
        name.hasSuffix(".gz") ? [name, String(name.dropLast(3))] : [name]
    }
}
