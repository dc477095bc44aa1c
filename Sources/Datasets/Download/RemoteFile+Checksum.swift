import Crypto
import Foundation

extension RemoteFile {
    /// Compares decompressed contents with what was published.
    ///
    /// Look at the structure first: it says more about a damaged file than a checksum does.
    ///
    /// - Parameter other: the sum of another copy that will do.
    /// - Throws: ``DatasetError`` with both sums and the way out.
    func verify(_ contents: Data, at url: URL, of dataset: String, orElse other: String? = nil) throws {
        let sum = SHA256.hash(data: contents).hexadecimal
        guard sum == contentSHA256 || sum == other else {
            throw DatasetError(
                .checksum,
                "\(url.path) is not the file of data set '\(dataset)': its decompressed contents have SHA-256 "
                    + "\(sum), expected \(contentSHA256 ?? "another"). Remove it, so that the published file is "
                    + "downloaded, or replace it by the published file (\(addresses[0]))")
        }
    }
}

extension Digest {
    /// The digest as lower-case hexadecimal digits.
    var hexadecimal: String {
        map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
