import Foundation
import TestSupport

/// A web server on 127.0.0.1 with the faults that downloads meet, written in Python.
///
/// The first path component picks the behaviour; see the script.
final class LocalServer {
    private let process = Process()
    private let directory: TemporaryDirectory
    private let base: String

    /// Serves `content`; `other` is what the faulty addresses send in its place.
    init(content: Data, other: Data) throws {
        directory = try TemporaryDirectory()
        try content.write(to: directory.file("content"))
        try other.write(to: directory.file("other"))
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-u", "-c", Self.script, directory.url.path]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        var line = Data()
        while let byte = try output.fileHandleForReading.read(upToCount: 1), byte != Data("\n".utf8) {
            if byte.isEmpty { break }
            line += byte
        }
        let port = String(decoding: line, as: UTF8.self)
        guard Int(port) != nil else { throw CocoaError(.fileReadUnknown) }
        base = "http://127.0.0.1:\(port)"
    }

    deinit {
        // Not SIGTERM: a child inherits the signals that the test's thread blocks.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    func address(_ path: String) -> URL { URL(string: "\(base)/\(path)")! }

    /// One line for each request so far: its path, its `Range` and its `If-Range`.
    func requests() throws -> [String] {
        let log = try? String(contentsOf: directory.file("log"), encoding: .utf8)
        return (log ?? "").split(separator: "\n").map(String.init)
    }

    private static let script = """
        import http.server, sys, time, os
        folder = sys.argv[1]
        content = open(folder + "/content", "rb").read()
        other = open(folder + "/other", "rb").read()
        seen = {}

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *arguments):
                pass

            def do_GET(self):
                kind = self.path.split("/")[1]
                wanted, condition = self.headers.get("Range"), self.headers.get("If-Range")
                with open(folder + "/log", "a") as log:
                    log.write(f"{self.path} {wanted} {condition}\\n")
                visit = seen[kind] = seen.get(kind, 0) + 1
                body, tag, status, start = content, '"one"', 200, 0
                if kind == "404" or kind == "500":
                    return self.send_error(int(kind))
                if kind == "flaky" and visit < 3:
                    return self.send_error(503)
                if kind == "wrong":
                    body = other
                if kind == "longer":
                    body = content + other
                if kind == "changed":
                    body, tag = (other, '"old"') if visit == 1 else (content, '"new"')
                if kind == "stale":
                    body = other if visit == 1 else content
                if kind == "gone" and wanted:
                    return self.send_error(416)
                ranged = kind not in ("norange", "gone")
                if ranged and wanted and condition in (None, tag):
                    status, start = 206, int(wanted[len("bytes="):-1])
                if kind == "badrange" and wanted:
                    start -= 1
                self.send_response(status)
                if kind != "untagged":
                    self.send_header("ETag", tag)
                if status == 206:
                    self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
                self.send_header("Content-Length", str(len(body) - start))
                self.end_headers()
                rest = body[start:]
                cut = kind in ("cut", "norange", "changed", "stale", "gone", "badrange", "untagged")
                if cut and visit == 1:
                    self.wfile.write(rest[:len(rest) // 2])
                    self.wfile.flush()
                    self.close_connection = True
                elif kind == "slow":
                    for offset in range(0, len(rest), len(rest) // 5 + 1):
                        self.wfile.write(rest[offset:offset + len(rest) // 5 + 1])
                        self.wfile.flush()
                        time.sleep(0.05)
                else:
                    self.wfile.write(rest)

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        print(server.server_address[1], flush=True)
        server.serve_forever()
        """
}
