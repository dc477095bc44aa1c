import Foundation
import Safetensors

extension Cell {
    /// The cells of one configuration over seeds, in `folder`, where its file is written unless it is there.
    ///
    /// - Throws: `FileError`.
    static func all(
        of config: any RunConfig, _ title: String, in folder: URL, seeds: [UInt64], pause: Pause? = nil
    ) throws -> [Cell] {
        let file = folder.appendingPathComponent("config.yaml")
        if !FileManager.default.fileExists(atPath: file.path) {
            var config = config
            config.output = nil
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            // Cells run side by side: one thread each, unless the configuration says more.
            try AtomicFile.write(Data(try config.resolved(threads: 1).yaml().utf8), to: file)
        }
        return seeds.map { seed in
            Cell(
                title: "\(title), seed \(seed)", directory: folder.appendingPathComponent("seed-\(seed)"),
                config: file, seed: seed, pause: pause)
        }
    }
}

extension CellPool {
    /// How many cells of such configurations run at once: as many as asked for, or as the cores allow.
    static func parallel(_ configs: [any RunConfig], _ asked: Int?) -> Int {
        let threads = configs.map { $0.threads ?? 1 }.max() ?? 1
        return asked ?? max(1, ProcessInfo.processInfo.activeProcessorCount / threads)
    }
}

extension CellOutcome {
    /// The outcome on one line: the numbers of the test data, or with the prefix `validation.` of the held-out data.
    func words(prefix: String = "") -> String {
        guard status == .completed || status == .paused else {
            return "\(status.rawValue): \(reason)"
        }
        return ["accuracy", "loss", "rmse", "return", "evaluation.return"].compactMap { name in
            metrics[prefix + name].map { "\(name) \(String(format: "%.4g", $0))" }
        }.joined(separator: ", ")
    }

    /// The first sentence of the message.
    var reason: String {
        guard let message else { return "no reason given" }
        let line = message.prefix { $0 != "\n" }
        return line.range(of: ". ").map { String(line[..<$0.lowerBound]) } ?? String(line)
    }
}
