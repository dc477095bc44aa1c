import Crypto
import Datasets
import Foundation
import Safetensors
import Synchronization
import TestSupport
import Testing

@Suite struct DownloaderTests {
    private static let content = Data((0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 4) })
    private static let other = Data(repeating: 7, count: 300_000)

    private let directory: TemporaryDirectory
    private let server: LocalServer
    private let destination: URL

    init() throws {
        directory = try TemporaryDirectory()
        server = try LocalServer(content: Self.content, other: Self.other)
        destination = directory.file("cache/mnist/file.gz")
    }

    private func file(_ kinds: String...) -> RemoteFile { file(kinds) }

    private func file(_ kinds: [String]) -> RemoteFile {
        RemoteFile(
            name: "file.gz", addresses: kinds.map { server.address("\($0)/file.gz") },
            byteCount: Self.content.count,
            md5: Insecure.MD5.hash(data: Self.content).map { String(format: "%02x", $0) }.joined(),
            contentSHA256: "")
    }

    private func fetch(_ kinds: String..., attempts: Int = 3) throws {
        let downloader = Downloader(attempts: attempts, delay: 0.01, timeout: 5)
        try downloader.fetch(file(kinds), to: destination)
    }

    private func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: destination.deletingLastPathComponent().path)
            .sorted()
    }

    private func expectInstalled(requests: Int) throws {
        #expect(try Data(contentsOf: destination) == Self.content)
        #expect(try names() == ["file.gz", "file.gz.lock"])
        #expect(try server.requests().count == requests)
    }

    @Test func aWholeFileIsInstalled() throws {
        let seen = Mutex<[DownloadProgress]>([])
        let downloader = Downloader(progress: { step in seen.withLock { $0.append(step) } })
        try downloader.fetch(file("ok"), to: destination)
        try expectInstalled(requests: 1)
        let steps = seen.withLock { $0 }
        #expect(steps.last?.received == Self.content.count && steps.last?.total == Self.content.count)
        #expect(steps.map(\.received) == steps.map(\.received).sorted())
        // The second time, the network is not asked.
        try downloader.fetch(file("ok"), to: destination)
        #expect(try server.requests().count == 1)
    }

    @Test func aCutConnectionIsResumed() throws {
        try fetch("cut")
        try expectInstalled(requests: 2)
        #expect(try server.requests()[1] == #"/cut/file.gz bytes=150000- "one""#)
    }

    @Test func aLaterProcessResumes() throws {
        let error = #expect(throws: DatasetError.self) { try fetch("cut", attempts: 1) }
        #expect(error?.code == .missing)
        #expect(try names() == ["file.gz.lock", "file.gz.part", "file.gz.part.version"])
        try fetch("cut", attempts: 1)
        try expectInstalled(requests: 2)
        #expect(try server.requests()[1].contains("bytes=150000-"))
    }

    @Test func aWholePartNeedsNoNetwork() throws {
        #expect(throws: DatasetError.self) { try fetch("cut", attempts: 1) }
        try Self.content.write(to: URL(fileURLWithPath: destination.path + ".part"))
        try fetch("cut", attempts: 1)
        try expectInstalled(requests: 1)
    }

    @Test func aServerWithoutRangesSendsAllAgain() throws {
        try fetch("norange")
        try expectInstalled(requests: 2)
    }

    @Test func aServerWithoutVersionsIsNotResumed() throws {
        try fetch("untagged")
        try expectInstalled(requests: 2)
        #expect(try server.requests()[1] == "/untagged/file.gz None None")
    }

    @Test func aFileThatChangedMeanwhileIsFetchedAnew() throws {
        try fetch("changed")
        try expectInstalled(requests: 2)
        #expect(try server.requests()[1] == #"/changed/file.gz bytes=150000- "old""#)
    }

    /// The server says that the file is the same, but it is not: the sum finds out, and it starts anew.
    @Test func aPartOfAnotherFileIsFoundOut() throws {
        try fetch("stale")
        try expectInstalled(requests: 3)
    }

    @Test(arguments: ["gone", "badrange"]) func aRefusedRangeStartsAnew(kind: String) throws {
        try fetch(kind)
        try expectInstalled(requests: 3)
        #expect(try server.requests()[2] == "/\(kind)/file.gz None None")
    }

    @Test func aPartFromAnotherAddressIsNotContinued() throws {
        #expect(throws: DatasetError.self) { try fetch("cut", attempts: 1) }
        try fetch("ok", attempts: 1)
        try expectInstalled(requests: 2)
        #expect(try server.requests()[1] == "/ok/file.gz None None")
    }

    @Test func anotherFileIsNotInstalled() throws {
        let error = #expect(throws: DatasetError.self) { try fetch("wrong") }
        #expect(error?.code == .checksum)
        let sum = Insecure.MD5.hash(data: Self.other).map { String(format: "%02x", $0) }.joined()
        #expect(error?.message.contains(sum) == true)
        #expect(error?.message.contains(file().md5) == true)
        #expect(try names() == ["file.gz.lock"])
        #expect(try server.requests().count == 1)
    }

    @Test func aFileTooLongIsNotInstalled() throws {
        let error = #expect(throws: DatasetError.self) { try fetch("longer") }
        #expect(error?.code == .checksum)
        #expect(error?.message.contains("more than the 300000 bytes") == true)
        #expect(try names() == ["file.gz.lock"])
    }

    @Test func aMissingFileIsNotTriedAgain() throws {
        let error = #expect(throws: DatasetError.self) { try fetch("404") }
        #expect(error?.code == .missing)
        #expect(error?.message.contains("404/file.gz cannot be downloaded: HTTP 404") == true)
        #expect(try names() == ["file.gz.lock"])
        #expect(try server.requests().count == 1)
    }

    @Test func aServerInTroubleIsTriedAgainButNotForEver() throws {
        try fetch("flaky")
        try expectInstalled(requests: 3)
        try FileManager.default.removeItem(at: destination)
        let error = #expect(throws: DatasetError.self) { try fetch("500") }
        #expect(error?.message.contains("HTTP 500") == true)
        #expect(error?.message.contains("3 attempts") == true)
        #expect(try server.requests().count == 6)
    }

    @Test func theNextAddressIsTried() throws {
        try fetch("404", "wrong", "ok")
        try expectInstalled(requests: 3)
    }

    @Test func noNetworkNamesTheAddressAndTheWayOut() throws {
        // Nobody listens on the discard port.
        let file = RemoteFile(
            name: "file.gz", addresses: [URL(string: "http://127.0.0.1:9/file.gz")!], byteCount: 1, md5: "",
            contentSHA256: "")
        var locations = DataLocations(environment: [:], downloader: Downloader(delay: 0.01, timeout: 5))
        locations.cacheFolder = directory.file("cache")
        let error = #expect(throws: DatasetError.self) { try locations.locate(file, of: "mnist") }
        #expect(error?.isMissingInput == true)
        let message = error?.message ?? ""
        for part in [
            "http://127.0.0.1:9/file.gz cannot be downloaded", directory.file("cache/mnist/file.gz").path,
            "name that folder in PEO_DATA",
        ] {
            #expect(message.contains(part), "'\(part)' is missing in: \(message)")
        }
    }

    @Test func aCacheThatCannotBeMadeIsNamed() throws {
        try Data().write(to: directory.file("cache"))
        let error = #expect(throws: FileError.self) { try fetch("ok") }
        #expect(error?.operation == .create)
        #expect(error?.path == destination.deletingLastPathComponent().path)
    }

    /// Two at once: the second waits for the first, and asks the network for nothing.
    @Test func twoAtOnceFetchOnce() throws {
        let file = file("slow")
        let destination = destination
        let failures = Mutex<[any Error]>([])
        DispatchQueue.concurrentPerform(iterations: 2) { _ in
            do {
                try Downloader(timeout: 5).fetch(file, to: destination)
            } catch {
                failures.withLock { $0.append(error) }
            }
        }
        #expect(failures.withLock { $0.isEmpty })
        try expectInstalled(requests: 1)
    }

    @Test func aLoadedDataSetComesThroughTheCache() throws {
        var locations = DataLocations(environment: [:], downloader: Downloader(delay: 0.01, timeout: 5))
        locations.cacheFolder = directory.file("cache")
        let url = try locations.locate(file("ok"), of: "mnist")
        #expect(url.path == destination.path)
        #expect(try locations.locate(file("404"), of: "mnist") == url)
        locations.searchFolders = [directory.file("mine")]
        let mine = directory.file("mine/mnist/file")
        try FileManager.default.createDirectory(
            at: mine.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data().write(to: mine)
        #expect(try locations.locate(file("404"), of: "mnist").path == mine.path)
    }
}
