import Foundation

/// Maps files into memory as `Data`, with typed errors.
public enum MappedFile {
    /// The contents of a regular file, mapped and not copied.
    ///
    /// The mapping stays valid when the file is replaced by ``AtomicFile``; a file that another program
    /// cuts short in place must not be mapped, since the missing pages would end this process.
    ///
    /// - Throws: ``FileError`` if the file is missing, unreadable, or not a regular file.
    public static func contents(of url: URL) throws -> Data {
        let path = url.path
        // Without O_NONBLOCK, opening a named pipe would wait for a writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw FileError(path: path, operation: .open, errorNumber: errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw FileError(path: path, operation: .read, errorNumber: errno)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            let kind = status.st_mode & S_IFMT == S_IFDIR ? "it is a directory" : "it is not a regular file"
            throw FileError(path: path, operation: .read, reason: .notAFile, detail: kind)
        }
        let count = Int(status.st_size)
        guard count > 0 else { return Data() }
        guard let start = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
            throw FileError(path: path, operation: .read, errorNumber: errno)
        }
        return Data(bytesNoCopy: start, count: count, deallocator: .unmap)
    }
}
