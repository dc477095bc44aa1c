import Environments
import Foundation
import Safetensors

/// An animated GIF that is written by Pillow, in a Python of its own: frames go to it as they are drawn.
///
/// The Python is `PEO_PYTHON`, or the one that `scripts/bootstrap` links as `.python` above this program, or `python3`. Pillow is
/// its own, or that of `scripts/python-packages pillow`.
final class GIFFile {
    /// Of the frames as they are drawn, in pixels; the picture is half as wide, with smooth edges.
    static let width = 800
    private static let shrink = 2

    private let file: URL
    private let framesPerSecond: Int
    private let process = Process()
    private let input = Pipe()
    private let errors: URL
    private var isOpen = false

    private static let script = """
        import os, sys
        path, cache, seconds, shrink = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
        sys.path.append(os.path.join(cache, "pillow-" + sys.implementation.cache_tag))
        try:
            from PIL import Image
        except ImportError:
            sys.exit("no Pillow")
        frames = []
        source = sys.stdin.buffer
        while True:
            head = source.read(8)
            if len(head) < 8:
                break
            width, height = (int.from_bytes(head[i:i + 4], "little") for i in (0, 4))
            data = source.read(3 * width * height)
            image = Image.frombytes("RGB", (width, height), data).reduce(shrink)
            frames.append(image.quantize(32, dither=Image.Dither.NONE))
        frames[0].save(path, format="GIF", save_all=True, append_images=frames[1:],
                       duration=max(20, round(1000 * seconds)), loop=0)
        """

    /// - Parameter framesPerSecond: at most 50 are shown, which is all that players do.
    init(_ file: URL, framesPerSecond: Int) throws {
        self.file = file
        self.framesPerSecond = framesPerSecond
        errors = FileManager.default.temporaryDirectory.appendingPathComponent(
            "peo-gif-\(UInt64.random(in: .min ... .max))")
    }

    /// Adds a frame.
    /// - Throws: `FileError`.
    func add(_ canvas: Canvas) throws {
        if !isOpen { try open() }
        var data = Data()
        for size in [canvas.width, canvas.height] {
            withUnsafeBytes(of: UInt32(size).littleEndian) { data.append(contentsOf: $0) }
        }
        data.append(contentsOf: canvas.pixels)
        // A process that has died is told of in `finish`.
        try? input.fileHandleForWriting.write(contentsOf: data)
    }

    /// Waits until the file is there.
    /// - Throws: `FileError` that says what is missing.
    func finish() throws {
        guard isOpen else { return }
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
        defer { for url in [errors, scratch] { try? FileManager.default.removeItem(at: url) } }
        guard process.terminationReason == .exit, process.terminationStatus == 0 else {
            let said = (try? String(contentsOf: errors, encoding: .utf8)) ?? ""
            let words = said.split(separator: "\n").last.map(String.init) ?? "it ended without a word"
            throw said.contains("no Pillow") ? missing("it has no Pillow") : unwritten(words)
        }
        guard rename(scratch.path, file.path) == 0 else {
            throw FileError(path: file.path, operation: .rename, errorNumber: errno)
        }
    }

    private func unwritten(_ words: String) -> FileError {
        FileError(
            path: file.path, operation: .write, reason: .other,
            detail: "\(process.executableURL?.path ?? "Python") failed: \(words)")
    }

    private func missing(_ why: String) -> FileError {
        FileError(
            path: process.executableURL?.path ?? "python3", operation: .open, reason: .missing,
            detail:
                "\(why): a GIF is encoded by Pillow. Run scripts/python-packages pillow of PEO's repository, which "
                + "fetches it; or set PEO_PYTHON to a Python that has it")
    }

    private var scratch: URL { file.appendingPathExtension("partial") }

    private func open() throws {
        // Before a whole episode is drawn.
        let descriptor = Foundation.open(scratch.path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw FileError(path: file.path, operation: .create, errorNumber: errno)
        }
        close(descriptor)
        let environment = ProcessInfo.processInfo.environment
        process.executableURL = Self.python(environment)
        process.arguments = [
            "-c", Self.script, scratch.path, CacheFolder.place(environment).path,
            "\(1 / Double(framesPerSecond))",
            "\(Self.shrink)",
        ]
        process.standardInput = input
        process.standardOutput = FileHandle.nullDevice
        try Data().write(to: errors)
        process.standardError = try FileHandle(forWritingTo: errors)
        do {
            try process.run()
        } catch {
            try? FileManager.default.removeItem(at: scratch)
            throw missing("there is no such program")
        }
        isOpen = true
    }

    private static func python(_ environment: [String: String]) -> URL {
        if let given = environment["PEO_PYTHON"], !given.isEmpty { return URL(fileURLWithPath: given) }
        var place = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        while place.path != "/" {
            place.deleteLastPathComponent()
            let linked = place.appendingPathComponent(".python")
            if FileManager.default.isExecutableFile(atPath: linked.path) { return linked }
        }
        let folders = (environment["PATH"] ?? "/usr/bin").split(separator: ":")
        return folders.map { URL(fileURLWithPath: "\($0)/python3") }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
            ?? URL(fileURLWithPath: "/usr/bin/python3")
    }
}
