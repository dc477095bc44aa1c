import Foundation
import Safetensors

/// Instructions and their answers in JSON Lines: one object a line.
///
/// | Keys | What it is |
/// |---|---|
/// | `instruction`, `input` (may be left out), `output` | an instruction and its answer |
/// | `prompt`, `completion` | two texts that stand one after the other as they are |
/// | `messages`: a list of `{role, content}` | a conversation; the answers are what `assistant` says |
///
/// Other keys are left alone, and so are empty lines.
struct InstructionFile {
    /// A stretch of an example's text.
    struct Piece: Equatable {
        var text: String
        /// Whether the model is to learn to write it; after it, the text ends.
        var isAnswer: Bool
    }

    struct Example {
        var line: Int
        var pieces: [Piece]
    }

    private(set) var examples: [Example] = []
    let name: String

    /// - Throws: `DatasetError`, naming the file and the line.
    init(_ data: Data, named name: String, _ template: InstructionTemplate) throws {
        self.name = name
        var line = 0
        var start = data.startIndex
        while start < data.endIndex {
            let end = data[start...].firstIndex(of: 0x0A) ?? data.endIndex
            line += 1
            let content = data[start..<end]
            if content.contains(where: { ![0x20, 0x09, 0x0D].contains($0) }) {
                let reader = LineReader(place: "\(name), line \(line)", template: template)
                examples.append(Example(line: line, pieces: try reader.pieces(of: content)))
            }
            start = end == data.endIndex ? end : end + 1
        }
        guard !examples.isEmpty else {
            throw DatasetError(.value, "\(name) has no examples; allowed: one or more")
        }
    }
}

/// Reads one line.
private struct LineReader {
    let place: String
    let template: InstructionTemplate

    func error(_ code: DatasetError.Code, _ what: String) -> DatasetError {
        DatasetError(code, "\(place): \(what)")
    }

    func pieces(of line: Data) throws -> [InstructionFile.Piece] {
        let object: JSONObject
        do {
            guard let found = try JSONValue(line).object else {
                throw error(.format, "it is not a JSON object")
            }
            object = found
        } catch let problem as JSONError {
            throw error(.format, "not valid JSON at byte \(problem.position): \(problem.what)")
        }
        let kinds = ["instruction", "prompt", "messages"].filter { object[$0] != nil }
        guard kinds.count == 1 else {
            throw error(
                .format,
                (kinds.isEmpty ? "no instruction" : "both \(kinds.joined(separator: " and "))")
                    + "; allowed: instruction and output, prompt and completion, or messages")
        }
        switch kinds[0] {
        case "instruction":
            let input =
                object["input"].map { $0.isNull } == true ? "" : try text("input", of: object, default: "")
            return [
                .init(
                    text: template.prompt(instruction: try text("instruction", of: object), input: input),
                    isAnswer: false),
                try answer("output", of: object),
            ]
        case "prompt":
            return [
                .init(text: try text("prompt", of: object), isAnswer: false),
                try answer("completion", of: object),
            ]
        default: return try conversation(object)
        }
    }

    private func text(_ key: String, of object: JSONObject, default value: String? = nil) throws -> String {
        guard let found = object[key] else {
            guard let value else { throw error(.format, "the key '\(key)' is missing") }
            return value
        }
        guard let text = found.string else { throw error(.format, "'\(key)' is \(found); allowed: a text") }
        return text
    }

    private func answer(_ key: String, of object: JSONObject) throws -> InstructionFile.Piece {
        let text = try text(key, of: object)
        guard !text.isEmpty else { throw error(.value, "'\(key)' is empty; allowed: an answer") }
        return .init(text: text, isAnswer: true)
    }

    private func conversation(_ object: JSONObject) throws -> [InstructionFile.Piece] {
        guard let messages = object["messages"]?.array else {
            throw error(
                .format, "'messages' is \(object["messages"] ?? .null); allowed: a list of {role, content}")
        }
        var pieces: [InstructionFile.Piece] = []
        for (number, message) in messages.enumerated() {
            let path = "messages[\(number)]"
            guard let message = message.object else {
                throw error(.format, "\(path) is \(message); allowed: {role, content}")
            }
            let role = try text("role", of: message)
            guard ["system", "user", "assistant"].contains(role) else {
                throw error(
                    .value, "\(path) has the role '\(role.prefix(60))'; allowed: system, user, assistant")
            }
            let content = try text("content", of: message)
            let around = template.around(role: role)
            if role == "assistant" {
                guard !content.isEmpty else {
                    throw error(.value, "\(path) is an empty answer; allowed: an answer")
                }
                pieces.append(.init(text: around.before, isAnswer: false))
                pieces.append(.init(text: content, isAnswer: true))
                pieces.append(.init(text: around.after, isAnswer: false))
            } else {
                pieces.append(.init(text: around.before + content + around.after, isAnswer: false))
            }
        }
        guard let last = pieces.lastIndex(where: \.isAnswer) else {
            throw error(.value, "no message has the role 'assistant'; allowed: at least one answer")
        }
        // What stands after the last answer is never read.
        return Array(pieces[...last])
    }
}
