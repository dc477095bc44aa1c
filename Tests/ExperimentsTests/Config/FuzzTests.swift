import Experiments
import Foundation
import TestSupport
import Testing

/// Damaged configurations are read or refused; never a crash.
@Suite struct FuzzTests {
    @Test func damagedConfigurations() throws {
        let examples = try FileManager.default.contentsOfDirectory(
            at: URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../Examples")
                .standardizedFileURL,
            includingPropertiesForKeys: nil
        ).filter { $0.pathExtension == "yaml" }
        let fault = fuzz(
            try examples.map { try Data(contentsOf: $0) },
            tokens: [
                "adam", "{", "}", "[", "]", ": ", "\n", "\n- ", "  ", "&a", "*a", "<<: *a", "!!int ", "|",
                "? ", "# ",
                "sigma: ", "learningRate: ", "-0.0", ".inf", "9223372036854775808", "'", "\"", "\t",
                "...\n---\n",
            ], rounds: 3000
        ) { data in
            guard let text = String(data: data, encoding: .utf8) else { return }
            if text.contains("environment:") || text.contains("agent:") {
                let config = try AgentConfig(yaml: text, file: "x.yaml")
                _ = try AgentConfig(yaml: config.yaml())
                return
            }
            let config = try ExperimentConfig(yaml: text, file: "x.yaml")
            // What was accepted can be written, and reads back.
            _ = try ExperimentConfig(yaml: config.yaml())
        } allows: { error in
            (error as? ConfigError).map { !$0.problem.isEmpty } == true
        }
        #expect(fault == nil)
    }
}
