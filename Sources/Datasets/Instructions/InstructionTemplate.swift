import PerturbedEquations

/// What stands around an instruction, so that a model knows where its answer begins.
public struct InstructionTemplate: Codable, Sendable, Hashable {
    /// Before the answer to an instruction without input; has `{instruction}`.
    public var instruction: String
    /// Before the answer to an instruction with input; has `{instruction}` and `{input}`.
    public var instructionWithInput: String
    /// Around one message of a conversation; has `{content}`, and may have `{role}` before it.
    public var message: String

    /// Headings as those of Alpaca (Taori and others 2023, Stanford Alpaca).
    public init() {
        instruction = "### Instruction:\n{instruction}\n\n### Response:\n"
        instructionWithInput = "### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:\n"
        message = "### {role}:\n{content}\n\n"
    }

    private enum CodingKeys: String, CodingKey { case instruction, instructionWithInput, message }

    public init(from decoder: any Decoder) throws {
        let settings = try SourceSettings(decoder, keyedBy: CodingKeys.self)
        let standard = Self()
        instruction = try settings.value(.instruction, default: standard.instruction)
        instructionWithInput = try settings.value(
            .instructionWithInput, default: standard.instructionWithInput)
        message = try settings.value(.message, default: standard.message)
        func check(_ key: CodingKeys, _ text: String, _ names: [String]) throws {
            for name in names {
                let count = Self.parts(of: text).count { $0 == .place(name) }
                try settings.check(
                    count == 1, key, "has {\(name)} \(count) times; allowed: once")
            }
        }
        try check(.instruction, instruction, ["instruction"])
        try check(.instructionWithInput, instructionWithInput, ["instruction", "input"])
        try check(.message, message, ["content"])
    }

    /// A stretch of a template.
    enum Part: Equatable {
        case text(String)
        case place(String)
    }

    private static let names = ["instruction", "input", "role", "content"]

    /// Cuts a template at its places. What is filled in is not looked at again.
    static func parts(of template: String) -> [Part] {
        var parts: [Part] = []
        var text = ""
        var rest = template[...]
        while !rest.isEmpty {
            if let name = names.first(where: { rest.hasPrefix("{\($0)}") }) {
                if !text.isEmpty { parts.append(.text(text)) }
                text = ""
                parts.append(.place(name))
                rest = rest.dropFirst(name.count + 2)
            } else {
                text.append(rest.removeFirst())
            }
        }
        if !text.isEmpty { parts.append(.text(text)) }
        return parts
    }

    private static func filled(_ parts: some Sequence<Part>, _ values: [String: String]) -> String {
        parts.map { part in
            switch part {
            case .text(let text): text
            case .place(let name): values[name] ?? "{\(name)}"
            }
        }
        .joined()
    }

    /// The text before the answer to an instruction.
    public func prompt(instruction: String, input: String = "") -> String {
        Self.filled(
            Self.parts(of: input.isEmpty ? self.instruction : instructionWithInput),
            ["instruction": instruction, "input": input])
    }

    /// The texts before and after a message's content.
    public func around(role: String) -> (before: String, after: String) {
        let parts = Self.parts(of: message)
        let content = parts.firstIndex(of: .place("content")) ?? parts.endIndex
        return (
            Self.filled(parts[..<content], ["role": role]),
            Self.filled(parts[content...].dropFirst(), ["role": role])
        )
    }
}
