import Foundation

/// The memory that the machine can still give.
package enum SystemMemory {
    /// Bytes that a process may take before it is stopped: what Linux calls available, or what the control group leaves
    /// if that is less; nil where the system does not tell.
    package static var available: Int? {
        [meminfo, unifiedGroup, memoryGroup].compactMap { $0 }.min()
    }

    private static var meminfo: Int? {
        guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("MemAvailable:") })
        else { return nil }
        return line.split(separator: " ").compactMap { Int($0) }.first.map { $0 * 1024 }
    }

    private static var unifiedGroup: Int? { rest("memory.max", "memory.current") }
    private static var memoryGroup: Int? {
        rest("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes")
    }

    /// What a limit leaves; nil where there is none.
    private static func rest(_ limit: String, _ usage: String) -> Int? {
        func number(_ name: String) -> Int? {
            (try? String(contentsOfFile: "/sys/fs/cgroup/\(name)", encoding: .utf8)).flatMap {
                Int($0.trimmingCharacters(in: .whitespacesAndNewlines))
            }
        }
        guard let limit = number(limit), let usage = number(usage) else { return nil }
        return max(0, limit - usage)
    }
}
