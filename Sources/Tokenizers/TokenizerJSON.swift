import Foundation
import Safetensors

/// Reads a `tokenizer.json` of Hugging Face's `tokenizers`, and refuses by name whatever could make other tokens than
/// GPT-2's method does.
struct TokenizerJSON {
    let name: String
    let file: JSONObject

    init(_ url: URL) throws {
        name = url.lastPathComponent
        file = try Self.object(url)
    }

    /// Reads a file that is a JSON object.
    static func object(_ url: URL) throws -> JSONObject {
        let data = try MappedFile.contents(of: url)
        do {
            guard let object = try JSONValue(data).object else {
                throw TokenizerError(.format, "\(url.lastPathComponent): it is not a JSON object")
            }
            return object
        } catch let error as JSONError {
            throw TokenizerError(
                .format, "\(url.lastPathComponent): not valid JSON at byte \(error.position): \(error.what)")
        }
    }

    func refuse(_ key: String, _ value: JSONValue?, _ allowed: String) -> TokenizerError {
        TokenizerError(
            .unsupported, "\(name): \(key) is \(value.map { "\($0)" } ?? "missing"); allowed: \(allowed)")
    }

    /// Refuses keys that might mean anything.
    func check(keysOf object: JSONObject, _ path: String, _ allowed: [String]) throws {
        for (key, _) in object.members where !allowed.contains(key) {
            throw TokenizerError(
                .unsupported,
                "\(name): \(path) has the key '\(key.prefix(60))'; allowed: \(allowed.joined(separator: ", "))"
            )
        }
    }

    /// Checks everything beside the vocabulary and the tokens.
    func checkKind() throws -> (model: JSONObject, startsWithSpace: Bool) {
        try check(
            keysOf: file, "the file",
            [
                "version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer",
                "post_processor", "decoder", "model",
            ])
        if let version = file["version"], version.string != "1.0" {
            throw refuse("version", version, "'1.0'")
        }
        for key in ["truncation", "padding"] {
            guard let value = file[key], !value.isNull else { continue }
            throw refuse(key, value, "null, as Python's Tokenizer.no_\(key)() leaves it")
        }
        if let value = file["normalizer"], !value.isNull {
            throw refuse("normalizer", value.object?["type"] ?? value, "null")
        }
        guard let splitter = try byteLevel("pre_tokenizer"), splitter.usesPattern else {
            throw refuse("pre_tokenizer", file["pre_tokenizer"], "ByteLevel with its pattern")
        }
        // What these two say of spaces and offsets changes no token.
        _ = try byteLevel("post_processor")
        guard try byteLevel("decoder") != nil else { throw refuse("decoder", file["decoder"], "ByteLevel") }
        guard let model = file["model"]?.object else { throw refuse("model", file["model"], "BPE") }
        try checkModel(model)
        return (model, splitter.startsWithSpace)
    }

    /// Nil for null, or nothing.
    private func byteLevel(_ key: String) throws -> (startsWithSpace: Bool, usesPattern: Bool)? {
        guard let value = file[key], !value.isNull else { return nil }
        guard let object = value.object, object["type"]?.string == "ByteLevel" else {
            throw refuse(key, value.object?["type"] ?? value, "ByteLevel")
        }
        let keys = ["add_prefix_space", "trim_offsets"]
        try check(keysOf: object, key, ["type"] + keys + ["use_regex"])
        for flag in keys where object[flag]?.boolean == nil {
            throw refuse("\(key).\(flag)", object[flag], "true, false")
        }
        let pattern = object["use_regex"] ?? .boolean(true)
        guard let usesPattern = pattern.boolean else {
            throw refuse("\(key).use_regex", pattern, "true, false")
        }
        return (object["add_prefix_space"]?.boolean == true, usesPattern)
    }

    private func checkModel(_ model: JSONObject) throws {
        if let type = model["type"], type.string != "BPE" { throw refuse("model.type", type, "'BPE'") }
        try check(
            keysOf: model, "model",
            [
                "type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk",
                "byte_fallback", "ignore_merges", "vocab", "merges",
            ])
        for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
            guard let value = model[key], !value.isNull, value.string?.isEmpty != true else { continue }
            throw refuse("model.\(key)", value, "none")
        }
        // A vocabulary with all bytes never needs an unknown token.
        if let unknown = model["unk_token"], !unknown.isNull, unknown.string == nil {
            throw refuse("model.unk_token", unknown, "a token, or null")
        }
        if let value = model["fuse_unk"], !value.isNull, value.boolean == nil {
            throw refuse("model.fuse_unk", value, "true, false")
        }
        for key in ["ignore_merges", "byte_fallback"] {
            guard let value = model[key], !value.isNull, value.boolean != false else { continue }
            throw refuse("model.\(key)", value, "false")
        }
        if let dropout = model["dropout"], !dropout.isNull { throw refuse("model.dropout", dropout, "null") }
    }

    /// The vocabulary of a file.
    static func numbers(_ object: JSONObject, _ name: String, _ key: String) throws
        -> [(spelling: String, token: Int)]
    {
        try object.members.map { spelling, value in
            guard let number = value.integer else {
                throw TokenizerError(
                    .format, "\(name): \(key) has the value \(value); allowed: whole numbers")
            }
            return (spelling, number)
        }
    }

    func pairs(_ model: JSONObject) throws -> [(String, String)] {
        guard let merges = model["merges"]?.array else {
            throw refuse("model.merges", model["merges"], "an array")
        }
        // One spelling for all: readers guess it from the first.
        let areTexts = merges.first?.string != nil
        return try merges.enumerated().map { index, merge in
            let place = "\(name): model.merges[\(index)]"
            if areTexts, let text = merge.string, !text.hasPrefix("#version") {
                return try MergesText.pair(text, place)
            }
            guard !areTexts, let pair = merge.array, pair.count == 2, let left = pair[0].string,
                let right = pair[1].string
            else {
                throw TokenizerError(
                    .format,
                    "\(place) is \(merge); allowed: two tokens and one space, or an array of two tokens, as all others"
                )
            }
            return (left, right)
        }
    }

    func addedTokens(_ vocabulary: [(spelling: String, token: Int)]) throws -> [Tokenizer.AddedToken] {
        guard let list = file["added_tokens"] else { return [] }
        guard let items = list.array else { throw refuse("added_tokens", list, "an array") }
        let own = Dictionary(vocabulary.map { (Array($0.spelling.utf8), $0.token) }) { $1 }
        let flags = ["single_word", "lstrip", "rstrip", "normalized", "special"]
        var found: [[UInt8]: Int] = [:]
        return try items.map { item in
            guard let object = item.object, let text = object["content"]?.string, !text.isEmpty,
                let token = object["id"]?.integer
            else { throw TokenizerError(.format, "\(name): an added token has no content or no id") }
            let path = "the added token '\(text.prefix(60))'"
            try check(keysOf: object, path, ["id", "content"] + flags)
            for flag in flags where object[flag]?.boolean == nil {
                throw refuse("\(flag) of \(path)", object[flag], "true, false")
            }
            for flag in flags.prefix(3) where object[flag]?.boolean == true {
                throw refuse("\(flag) of \(path)", object[flag], "false")
            }
            let key = Array(text.utf8)
            // Hugging Face's reader does not believe the file, but counts on from the vocabulary.
            let largest = found.values.max().map { $0 >= own.count ? $0 + 1 : own.count } ?? own.count
            let counted = own[key] ?? largest
            guard token == counted else {
                throw refuse("the id of \(path)", object["id"], "\(counted), as its place in the file says")
            }
            guard found.updateValue(token, forKey: key) == nil else {
                throw TokenizerError(.format, "\(name): \(path) is given twice")
            }
            return Tokenizer.AddedToken(
                text: text, token: token, isNormalised: object["normalized"]?.boolean == true)
        }
    }
}
