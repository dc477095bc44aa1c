import Foundation
import TestSupport
import Testing

/// `scripts/bootstrap` in a checkout and a cache of its own, with a pip that we control.
@Suite struct BootstrapTests {
    /// A `python3` that answers everything truthfully, but takes `pip install` for itself: it makes a torch of a
    /// few bytes, and does what FAKE_PIP says wrong.
    private static let python = """
        #!/bin/sh
        case "$*" in
        *sys.executable*) echo "$0"; echo cpython-test; echo 3.11; exit ;;
        "-m pip --version") exit ;;
        "-m pip install"*) set -- "$(dirname "$0")/pip.py" "$@" ;;
        esac
        PATH=$REAL_PATH exec python3 "$@"
        """

    private static let pip = """
        import base64, hashlib, os, sys
        arguments, mode = sys.argv, os.environ["FAKE_PIP"]
        open(os.environ["FAKE_PIP_LOG"], "a").write(" ".join(arguments) + "\\n")
        target = arguments[arguments.index("--target") + 1]
        def write(path, text):
            os.makedirs(os.path.dirname(f"{target}/{path}"), exist_ok=True)
            open(f"{target}/{path}", "w").write(text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            return f"{path},sha256={digest},{len(text)}\\n"
        if not any(a.startswith("torch==") for a in arguments):
            sys.exit("no numpy today" if mode == "no-numpy" else 0)
        if mode == "index-only" and "--index-url" not in arguments:
            sys.exit("no matching distribution")
        record = write("torch/lib/libc10.so", "c10") + write("torch/lib/libgomp.so.1", "gomp")
        if mode == "midway":
            sys.exit("the connection was reset")
        version = "".join(f"#define TORCH_VERSION_{k} {v}\\n" for k, v in
                          [("MAJOR", 2), ("MINOR", 12 if mode == "other-version" else 13), ("PATCH", 0)])
        record += write("torch/lib/libtorch_cpu.so", "cpu") + write("torch/include/ATen/ATen.h", "")
        record += write("torch/include/torch/headeronly/version.h", version)
        write("torch-2.13.0+cpu.dist-info/RECORD", record)
        if mode == "damaged":
            open(f"{target}/torch/lib/libtorch_cpu.so", "w").write("cqu")
        """

    private let directory: TemporaryDirectory
    private var checkout: URL { directory.file("checkout") }
    private var cache: URL { directory.file("cache") }
    private var installed: URL { cache.appendingPathComponent("torch-2.13.0-cpu-cpython-test") }

    init() throws {
        directory = try TemporaryDirectory()
        let files = FileManager.default
        let scripts = checkout.appendingPathComponent("scripts")
        let tools = directory.file("tools")
        try files.createDirectory(at: scripts, withIntermediateDirectories: true)
        try files.createDirectory(at: tools, withIntermediateDirectories: true)
        for script in ["bootstrap", "libtorch-flags"] {
            try files.copyItem(
                at: ParityPython.root.appendingPathComponent("scripts/\(script)"),
                to: scripts.appendingPathComponent(script))
        }
        for (name, text) in [("python3", Self.python), ("pip.py", Self.pip)] {
            let url = tools.appendingPathComponent(name)
            try Data(text.utf8).write(to: url)
            try files.setAttributes([.posixPermissions: 0o755], ofItemAtPath: url.path)
        }
    }

    private func run(
        _ script: String = "bootstrap", pip mode: String, _ more: [String: String] = [:]
    ) throws -> (status: Int32, output: String, errors: String) {
        let process = Process()
        process.executableURL = checkout.appendingPathComponent("scripts/\(script)")
        var environment = ProcessInfo.processInfo.environment
        let path = environment["PATH"] ?? ""
        environment.merge([
            "REAL_PATH": path, "PATH": "\(directory.file("tools").path):\(path)", "FAKE_PIP": mode,
            "FAKE_PIP_LOG": directory.file("log").path, "PEO_CACHE": cache.path,
        ]) { $1 }
        environment["LIBTORCH"] = nil
        environment["PEO_PYTHON"] = nil
        environment.merge(more) { $1 }
        process.environment = environment
        let (output, errors) = (directory.file("output"), directory.file("errors"))
        for url in [output, errors] { try Data().write(to: url) }
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        process.waitUntilExit()
        func text(_ url: URL) throws -> String { String(decoding: try Data(contentsOf: url), as: UTF8.self) }
        return (process.terminationStatus, try text(output), try text(errors))
    }

    private func pipCalls() throws -> [Substring] {
        try String(contentsOf: directory.file("log"), encoding: .utf8).split(separator: "\n")
    }

    private func names(_ url: URL) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: url.path).sorted()
    }

    @Test(arguments: [
        ("midway", "could not fetch torch 2.13.0; nothing was installed"),
        ("no-numpy", "could not fetch numpy>=2,<3"),
        ("damaged", "torch/lib/libtorch_cpu.so does not have the checksum"),
        ("other-version", "headers say version '2.12.0', not 2.13.0"),
    ])
    func aFailedDownloadLeavesNothing(mode: String, words: String) throws {
        let failed = try run(pip: mode)
        #expect(failed.status == 1)
        #expect(failed.errors.contains(words), "\(failed.errors)")
        #expect(try names(cache) == [".lock"])
        #expect(try names(checkout) == ["scripts"])
        // And the next run starts afresh.
        let next = try run(pip: "good")
        #expect(next.status == 0, "\(next.errors)")
        #expect(try names(cache) == [".lock", "torch-2.13.0-cpu-cpython-test"])
    }

    @Test func theSecondRunFetchesNothing() throws {
        // A killed run may leave its scratch folder.
        try FileManager.default.createDirectory(
            at: cache.appendingPathComponent(".partial-killed"), withIntermediateDirectories: true)
        let first = try run(pip: "good")
        #expect(first.status == 0, "\(first.errors)")
        #expect(try names(cache) == [".lock", "torch-2.13.0-cpu-cpython-test"])
        #expect(try names(checkout) == [".libtorch", ".python", "scripts"])
        let links = try [".libtorch", ".python"].map {
            try FileManager.default.destinationOfSymbolicLink(
                atPath: checkout.appendingPathComponent($0).path)
        }
        #expect(links == [installed.path + "/packages/torch", installed.path + "/python"])
        let calls = try pipCalls().count
        let second = try run(pip: "midway")
        #expect(second.status == 0 && second.errors.contains("is in \(installed.path)"))
        #expect(try pipCalls().count == calls)
        // A library that somebody deleted is fetched again.
        try FileManager.default.removeItem(
            at: installed.appendingPathComponent("packages/torch/lib/libc10.so"))
        #expect(try run(pip: "good").status == 0)
        #expect(try pipCalls().count > calls)
    }

    @Test func whatPipKnowsComesBeforeTheIndex() throws {
        #expect(try run(pip: "good").status == 0)
        #expect(try !pipCalls().contains { $0.contains("--index-url") })
        try FileManager.default.removeItem(at: cache)
        #expect(try run(pip: "index-only").status == 0)
        #expect(try pipCalls().contains { $0.contains("--index-url https://download.pytorch.org/whl/cpu") })
    }

    @Test func twoAtOnceInstallOnce() async throws {
        let statuses = try await withThrowingTaskGroup(of: Int32.self) { group in
            for _ in 0..<2 { group.addTask { try run(pip: "good").status } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(statuses == [0, 0])
        #expect(try pipCalls().count { $0.contains("torch==") } == 1)
    }

    @Test func aGivenLibtorchIsChecked() throws {
        #expect(try run(pip: "good").status == 0)
        let mine = directory.file("mine")
        try FileManager.default.copyItem(at: installed.appendingPathComponent("packages/torch"), to: mine)
        let good = try run(pip: "good", ["LIBTORCH": mine.path])
        #expect(good.status == 0 && good.errors.contains("libtorch 2.13.0 from LIBTORCH="), "\(good.errors)")

        let header = mine.appendingPathComponent("include/torch/headeronly/version.h")
        let old = try String(contentsOf: header, encoding: .utf8).replacingOccurrences(of: "13", with: "9")
        try Data(old.utf8).write(to: header)
        let refused = try run(pip: "good", ["LIBTORCH": mine.path])
        #expect(refused.status == 1)
        #expect(
            refused.errors.contains("is libtorch 2.9.0") && refused.errors.contains("Allowed: 2.11 or newer"))
        let absent = try run(pip: "good", ["LIBTORCH": "/nowhere"])
        #expect(absent.status == 1 && absent.errors.contains("LIBTORCH='/nowhere' is not a folder"))
    }

    @Test func flagsNameTheCache() throws {
        let flags = try run("libtorch-flags", pip: "good")
        #expect(flags.status == 0, "\(flags.errors)")
        let torch = installed.path + "/packages/torch"
        #expect(flags.output.contains("-Xcxx -isystem -Xcxx \(torch)/include "))
        #expect(flags.output.contains("-Xlinker -L\(torch)/lib -Xlinker -rpath -Xlinker \(torch)/lib\n"))
        #expect(try names(checkout) == ["scripts"])
    }
}
