import Foundation
import Safetensors
import TestSupport
import Testing

@Suite struct AtomicFileTests {
    @Test func contentsAreReplaced() throws {
        let directory = try TemporaryDirectory()
        let url = directory.file("a")
        try AtomicFile.write(Data("one".utf8), to: url)
        let count = try AtomicFile.write(to: url) { sink in
            try sink.write("tw")
            try sink.write(Data("o!".utf8))
            return sink.count
        }
        #expect(count == 4)
        #expect(try Data(contentsOf: url) == Data("two!".utf8))
        #expect(try directory.names() == ["a"])
    }

    @Test func aFailureLeavesTheOldFileAlone() throws {
        struct Interrupted: Error {}
        let directory = try TemporaryDirectory()
        let url = directory.file("a")
        try AtomicFile.write(Data("old".utf8), to: url)
        #expect(throws: Interrupted.self) {
            try AtomicFile.write(to: url) { sink in
                try sink.write("new")
                #expect(try directory.names().count == 2)
                throw Interrupted()
            }
        }
        #expect(try Data(contentsOf: url) == Data("old".utf8))
        #expect(try directory.names() == ["a"])
    }

    @Test func aMissingDirectoryIsNamed() throws {
        let directory = try TemporaryDirectory()
        let url = directory.file("none").appendingPathComponent("a")
        let error = #expect(throws: FileError.self) { try AtomicFile.write(Data(), to: url) }
        #expect(error?.reason == .missing)
        #expect(error?.code == "file.missing")
        #expect(error?.path == url.path)
        #expect(error?.message.contains("its directory does not exist") == true)
    }

    @Test func aDirectoryIsNotReplaced() throws {
        let directory = try TemporaryDirectory()
        try FileManager.default.createDirectory(at: directory.file("d"), withIntermediateDirectories: true)
        let error = #expect(throws: FileError.self) { try AtomicFile.write(Data(), to: directory.file("d")) }
        #expect(error?.reason == .notAFile)
        #expect(try directory.names() == ["d"])
    }

    @Test(.enabled(if: getuid() != 0, "root may write everywhere"))
    func aForbiddenDirectoryIsNamed() throws {
        let directory = try TemporaryDirectory()
        chmod(directory.url.path, 0o500)
        defer { chmod(directory.url.path, 0o700) }
        let error = #expect(throws: FileError.self) { try AtomicFile.write(Data(), to: directory.file("a")) }
        #expect(error?.reason == .permission)
    }

    @Test(.enabled(if: access("/dev/full", W_OK) == 0, "this system has no /dev/full"))
    func aFullDeviceIsAFullDisk() throws {
        let descriptor = open("/dev/full", O_WRONLY)
        defer { close(descriptor) }
        let sink = FileSink(descriptor: descriptor, path: "/dev/full")
        let error = #expect(throws: FileError.self) { try sink.write("x") }
        #expect(error?.errorNumber == ENOSPC)
        #expect(error?.reason == .full)
        #expect(error?.message.contains("free some space") == true)
    }

    /// The system refuses to let a file grow beyond a limit, in the middle of a large checkpoint.
    @Test func aFileThatCannotGrowLeavesTheOldOneAlone() throws {
        let directory = try TemporaryDirectory()
        let url = directory.file("model.safetensors")
        let old = try SafetensorsFile(tensors: [TensorEntry(name: "w", shape: [1], floats: [1])])
        try old.write(to: url)

        signal(SIGXFSZ, SIG_IGN)
        #if canImport(Darwin)
            let resource = RLIMIT_FSIZE
        #else
            let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
        #endif
        var before = rlimit()
        getrlimit(resource, &before)
        // Far above what any other test in this process writes meanwhile.
        var limited = before
        limited.rlim_cur = 64 << 20
        #expect(setrlimit(resource, &limited) == 0)
        defer { setrlimit(resource, &before) }

        let piece = [UInt8](repeating: 7, count: 9 << 20)
        let source = TensorSource(name: "w", type: .uint8, shape: [8, piece.count]) { write in
            for _ in 0..<8 { try piece.withUnsafeBytes { try write($0) } }
        }
        let error = #expect(throws: FileError.self) { try SafetensorsFile.write([source], to: url) }
        #expect(error?.reason == .full)
        #expect(error?.path == url.path)
        #expect(try SafetensorsFile(contentsOf: url).tensors == old.tensors)
        #expect(try directory.names() == ["model.safetensors"])
    }

    @Test func aReaderKeepsWhatItMappedWhenTheFileIsReplaced() throws {
        let directory = try TemporaryDirectory()
        let url = directory.file("a")
        try AtomicFile.write(Data(repeating: 1, count: 100_000), to: url)
        let mapped = try MappedFile.contents(of: url)
        try AtomicFile.write(Data("short".utf8), to: url)
        #expect(mapped == Data(repeating: 1, count: 100_000))
    }

    @Test func writersAtTheSameTimeDoNotMix() async throws {
        let directory = try TemporaryDirectory()
        let url = directory.file("a")
        await withThrowingTaskGroup(of: Void.self) { group in
            for writer: UInt8 in 0..<8 {
                group.addTask {
                    for _ in 0..<5 {
                        try AtomicFile.write(Data(repeating: writer, count: 50_000), to: url)
                        let read = try Data(contentsOf: url)
                        #expect(read.count == 50_000 && Set(read).count == 1)
                    }
                }
            }
        }
        #expect(try directory.names() == ["a"])
    }

    @Test func onlyAbandonedTemporariesAreRemoved() throws {
        let directory = try TemporaryDirectory()
        let abandoned = directory.file(".peo-1-abandoned.tmp")
        let recent = directory.file(".peo-1-recent.tmp")
        for url in [abandoned, recent, directory.file("kept")] { try Data("x".utf8).write(to: url) }
        var times = [timeval(tv_sec: 1_000_000, tv_usec: 0), timeval(tv_sec: 1_000_000, tv_usec: 0)]
        utimes(abandoned.path, &times)
        try AtomicFile.write(to: directory.file("inUse")) { sink in
            let inUse = try directory.names().first { $0.hasPrefix(".peo-\(getpid())-") }!
            utimes(directory.file(inUse).path, &times)
            #expect(try AtomicFile.removeAbandoned(in: directory.url) == 1)
        }
        #expect(try directory.names() == [".peo-1-recent.tmp", "inUse", "kept"])
    }
}
