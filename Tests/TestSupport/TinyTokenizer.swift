import Foundation

/// A small byte-level tokenizer as Hugging Face writes it: the bytes are tokens 0 to 255, `he`, `ll`, `hell`, `hello` and
/// ` hello` 256 to 260, and `<|endoftext|>` 261.
package enum TinyTokenizer {
    /// The 256 bytes in GPT-2's spelling, in the order of the bytes.
    package static let alphabet: [String] = {
        var next: UInt32 = 0x100
        return (0...255).map { (byte: UInt32) in
            if (33...126).contains(byte) || (161...172).contains(byte) || byte >= 174 {
                return String(Unicode.Scalar(byte)!)
            }
            defer { next += 1 }
            return String(Unicode.Scalar(next)!)
        }
    }()

    package static let vocabulary: [String: Int] = {
        let tokens = alphabet + ["he", "ll", "hell", "hello", "Ġhello"]
        return Dictionary(uniqueKeysWithValues: tokens.enumerated().map { ($0.element, $0.offset) })
    }()

    package static let merges = [["h", "e"], ["l", "l"], ["he", "ll"], ["hell", "o"], ["Ġ", "hello"]]

    /// An entry of `added_tokens`.
    package static func added(_ text: String, _ token: Int, _ flags: String...) -> [String: Any] {
        var item: [String: Any] = ["id": token, "content": text]
        for flag in ["single_word", "lstrip", "rstrip", "normalized", "special"] {
            item[flag] = flags.contains(flag)
        }
        return item
    }

    /// Writes a `tokenizer.json`.
    /// - Parameter change: what is other than usual in the model, and in the file.
    package static func write(
        to url: URL, change: (_ model: inout [String: Any], _ file: inout [String: Any]) -> Void = { _, _ in }
    ) throws {
        let split: [String: Any] = ["type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true]
        var model: [String: Any] = ["type": "BPE", "vocab": vocabulary, "merges": merges]
        var file: [String: Any] = [
            "version": "1.0", "pre_tokenizer": split, "post_processor": split, "decoder": split,
            "added_tokens": [added("<|endoftext|>", 261)],
        ]
        change(&model, &file)
        file["model"] = model
        try JSONSerialization.data(withJSONObject: file).write(to: url)
    }
}
