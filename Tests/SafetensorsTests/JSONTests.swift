import Foundation
import Safetensors
import TestSupport
import Testing

/// The strict reader of JSON, against the standard's grammar and Foundation's reader.
@Suite struct JSONTests {
    private func read(_ text: String) throws -> JSONValue { try JSONValue(Data(text.utf8)) }

    @Test func valuesAreWhatTheyAre() throws {
        let value = try read(
            #" {"a": [true, false, null, -12, 0, 1.5e1, "é\n\u00e9\ud83d\ude42\"\\\/"], "": {"b": {}}, "c": []} "#
        )
        let object = try #require(value.object)
        #expect(object.members.map(\.key) == ["a", "", "c"])
        let list = try #require(object["a"]?.array)
        #expect(list[0].boolean == true && list[1].boolean == false && list[2].isNull)
        #expect(list[3].integer == -12 && list[4].integer == 0 && list[5].integer == nil)
        if case .number(let number) = list[5] { #expect(number == 15) } else { Issue.record("\(list[5])") }
        #expect(list[6].string == "é\né🙂\"\\/")
        #expect(
            object[""]?.object?["b"]?.object?.members.isEmpty == true && object["c"]?.array?.isEmpty == true)
        // 1 is no boolean, true no number, and 3.0 no whole number.
        #expect(try read("1").boolean == nil && read("true").integer == nil && read("3.0").integer == nil)
        #expect(try read("-0").integer == nil && read("9223372036854775807").integer == .max)
        #expect(try read("9223372036854775808").integer == nil)
        // Keys are equal by their bytes alone.
        #expect(try read(#"{"é": 1, "e\u0301": 2}"#).object?["e\u{301}"]?.integer == 2)
    }

    @Test(arguments: [
        "", " ", "tru", "nul", "True", "01", "-", "+1", "1.", ".5", "1e", "1e+", "1e999", "0x10", "NaN",
        "[1,]", "[1 2]",
        "[", "{", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, #"{a:1}"#, #"{"a":1,"a":1}"#, #""a"#, #""\x""#,
        #""\u12""#,
        #""\ud83d""#, #""\ude42\ud83d""#, "\"\n\"", "\"\t\"", "1 2", "[] x", "\u{FEFF}1", "'a'", "// a",
    ])
    func whatIsNotJSONIsRefused(text: String) {
        let error = #expect(throws: JSONError.self, "\(text)") { try read(text) }
        #expect((0...text.utf8.count).contains(error?.position ?? -1))
    }

    @Test func bytesThatAreNoTextAreRefused() {
        for bytes: [UInt8] in [
            [0x22, 0xFF, 0x22], [0x22, 0xC3, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0],
        ] {
            #expect(throws: JSONError.self) { try JSONValue(Data(bytes)) }
        }
    }

    @Test func depthIsBounded() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        _ = try read(nested(JSONValue.greatestDepth))
        for depth in [JSONValue.greatestDepth + 2, 1_000_000] {
            let error = #expect(throws: JSONError.self) { try read(nested(depth)) }
            #expect(error?.what.contains("deeper than 64") == true)
        }
        #expect(throws: JSONError.self) { try read(String(repeating: #"{"a":"#, count: 1_000_000)) }
    }

    /// What is read of damaged texts, Foundation reads too, and to the same value.
    @Test func damagedTextsAreRefusedOrReadAsFoundationDoes() throws {
        let originals = [
            #"{"a": [1, -2.5e3, true, null], "b": {"c": "x\u00e9\n"}}"#, #"["é🙂", {"k": "v"}, 0.125]"#,
        ]
        .map { Data($0.utf8) }
        let fault = fuzz(originals, tokens: ["{", "]", "\"a\"", "\\u", ",", "1e5"], rounds: 20000) { data in
            let own = try JSONValue(data)
            let other = try JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed)
            #expect(Self.isSame(own, other), "\(String(decoding: data, as: UTF8.self))")
        } allows: {
            $0 is JSONError
        }
        #expect(fault == nil)
    }

    /// Equal, but for the last bits of numbers, which Foundation may read as decimals.
    private static func isSame(_ value: JSONValue, _ other: Any) -> Bool {
        func isNear(_ value: Double) -> Bool {
            guard let other = (other as? NSNumber)?.doubleValue else { return false }
            return abs(value - other) <= 1e-14 * abs(value)
        }
        switch value {
        case .null: return other is NSNull
        case .boolean(let value): return other as? Bool == value
        case .integer(let value): return isNear(Double(value))
        case .number(let value): return isNear(value)
        case .string(let value): return (other as? String).map { $0.utf8.elementsEqual(value.utf8) } ?? false
        case .array(let values):
            guard let others = other as? [Any], others.count == values.count else { return false }
            return zip(values, others).allSatisfy(isSame)
        case .object(let object):
            guard let others = other as? [String: Any], others.count == object.members.count else {
                return false
            }
            return object.members.allSatisfy { key, value in others[key].map { isSame(value, $0) } ?? false }
        }
    }
}
