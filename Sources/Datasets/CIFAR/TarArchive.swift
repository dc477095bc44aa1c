import Foundation

/// The regular files of a tar archive in memory, strictly read.
///
/// Directories, links and the notes of newer formats are passed over. Source: POSIX.1-1988, ustar interchange format.
public struct TarArchive: Sendable {
    /// The contents by name, such as `cifar-10-batches-bin/test_batch.bin`; a later file of the same name wins.
    public let files: [String: Data]

    private static let block = 512

    /// - Parameter name: what errors call the archive.
    /// - Throws: ``DatasetError`` for a damaged or truncated archive.
    public init(_ data: Data, named name: String) throws {
        var files: [String: Data] = [:]
        var offset = data.startIndex
        var isEnded = false
        while offset < data.endIndex {
            guard data.endIndex - offset >= Self.block else {
                throw DatasetError(.format, "\(name): the archive ends within the header at byte \(offset)")
            }
            let header = [UInt8](data[offset..<offset + Self.block])
            // Zeros end an archive; nothing of interest follows.
            if header.allSatisfy({ $0 == 0 }) {
                isEnded = true
                break
            }
            func number(_ range: Range<Int>, _ field: String) throws -> Int {
                let digits = header[range].drop { $0 == 0x20 }.prefix { $0 != 0 && $0 != 0x20 }
                guard let value = Int(String(decoding: digits, as: UTF8.self), radix: 8), value >= 0 else {
                    throw DatasetError(
                        .format, "\(name): the header at byte \(offset) has no octal number as its \(field)")
                }
                return value
            }
            // The sum is taken with its own field as blanks.
            let sum = header.enumerated().reduce(0) {
                $0 + ((148..<156).contains($1.offset) ? 0x20 : Int($1.element))
            }
            guard try number(148..<156, "checksum") == sum else {
                throw DatasetError(
                    .format, "\(name): the header at byte \(offset) is damaged: its checksum is wrong")
            }
            let size = try number(124..<136, "size")
            let start = offset + Self.block
            guard size <= data.endIndex - start else {
                throw DatasetError(
                    .format,
                    "\(name): a file of \(size) bytes begins at byte \(start), where \(data.endIndex - start) are left"
                )
            }
            func text(_ range: Range<Int>) -> String {
                String(decoding: header[range].prefix { $0 != 0 }, as: UTF8.self)
            }
            if header[156] == 0 || header[156] == UInt8(ascii: "0") {
                let prefix = text(257..<262) == "ustar" ? text(345..<500) : ""
                files[prefix.isEmpty ? text(0..<100) : prefix + "/" + text(0..<100)] =
                    data[start..<start + size]
            }
            offset = min(data.endIndex, start + (size + Self.block - 1) / Self.block * Self.block)
        }
        guard isEnded || !files.isEmpty else {
            throw DatasetError(.format, "\(name): the archive is empty")
        }
        self.files = files
    }
}
