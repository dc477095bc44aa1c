import Foundation
import TestSupport
import Testing

/// What a person sees who watches a run in a terminal.
@Suite struct TerminalTests {
    private struct NoTerminal: Error {}

    /// Runs the tool with a terminal of `columns` for its standard error, and returns what appears there.
    private static func watch(
        columns: Int, environment: [String: String] = [:], in directory: TemporaryDirectory
    ) throws -> (text: String, status: Int32) {
        // What posix_openpt, unlockpt and ptsname do, which Glibc's module does not show.
        let main = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        var (locked, number) = (Int32(0), UInt32(0))
        guard main >= 0, ioctl(main, 0x4004_5431, &locked) == 0, ioctl(main, 0x8004_5430, &number) == 0 else {
            throw NoTerminal()
        }
        defer { close(main) }
        let terminal = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
        guard terminal >= 0 else { throw NoTerminal() }
        var size = winsize(ws_row: 24, ws_col: UInt16(columns), ws_xpixel: 0, ws_ypixel: 0)
        guard ioctl(terminal, UInt(TIOCSWINSZ), &size) == 0 else { throw NoTerminal() }
        let yaml = PeoTool.smallConfig.replacingOccurrences(of: "steps: 40", with: "epochs: 60")
            .replacingOccurrences(of: "{steps: 10}", with: "60")
        let process = Process()
        process.executableURL = PeoTool.executable
        process.arguments = ["train", try PeoTool.config(yaml, in: directory)]
        process.currentDirectoryURL = directory.url
        var all = ProcessInfo.processInfo.environment
        all["NO_COLOR"] = nil
        all["TERM"] = "xterm-256color"
        process.environment = all.merging(environment) { $1 }
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle(fileDescriptor: terminal, closeOnDealloc: false)
        try process.run()
        close(terminal)
        // Reading ends with an error once the tool, the last to have the terminal open, is gone.
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(main, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        process.waitUntilExit()
        return (String(decoding: bytes, as: UTF8.self), process.terminationStatus)
    }

    @Test(arguments: [120, 60, 14]) func aBarThatFits(columns: Int) throws {
        let directory = try TemporaryDirectory()
        let (text, status) = try Self.watch(columns: columns, in: directory)
        #expect(status == 0, "\(text)")
        // A bar is drawn from the left margin and clears the rest; lines that stay may wrap.
        let drawn = text.replacing("\r\n", with: "\n").split(separator: "\r")
            .filter { $0.hasPrefix("epoch") && $0.hasSuffix("\u{1B}[K") && !$0.contains("\n") }
        #expect(!drawn.isEmpty, "\(text)")
        for bar in drawn {
            let visible = bar.replacing(/\u{1B}\[[0-9]*[mK]/, with: "")
            #expect(visible.count < columns, "\(visible.count) columns: \(visible)")
        }
        if columns >= 60 { #expect(text.contains("━") || text.contains("╌"), "\(text)") }
        if columns >= 120 {
            for field in [
                "loss", "accuracy", "σ 0.0100", "‖δ‖/‖g‖", "η 0.0500", "steps/s", "left", "\u{1B}[32m",
            ] {
                #expect(drawn.contains { $0.contains(field) }, "no \(field): \(drawn.last ?? "")")
            }
        }
    }

    @Test func noColoursWhereTheyAreNotWanted() throws {
        let directory = try TemporaryDirectory()
        let (text, status) = try Self.watch(columns: 100, environment: ["NO_COLOR": "1"], in: directory)
        #expect(status == 0 && text.contains("╌"), "\(text)")
        #expect(text.firstMatch(of: /\u{1B}\[[0-9]+m/) == nil, "\(text)")
    }

    @Test func aDumbTerminalGetsPlainLines() throws {
        let directory = try TemporaryDirectory()
        let (text, status) = try Self.watch(columns: 100, environment: ["TERM": "dumb"], in: directory)
        #expect(status == 0 && text.contains("test loss") && !text.contains("\u{1B}"), "\(text)")
    }
}
