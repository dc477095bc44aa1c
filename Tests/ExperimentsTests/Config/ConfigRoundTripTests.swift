import Experiments
import TestSupport
import Testing

/// A value of any shape, encoded as YAML would show it.
private indirect enum Anything: Codable, Equatable {
    case text(String)
    case number(Double)
    case single(Float)
    case whole(Int64)
    case truth(Bool)
    case list([Anything])
    case mapping([String: Anything])

    private enum Key: String, CodingKey, CaseIterable {
        case text, number, single, whole, truth, list, mapping
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        if let value = try container.decodeIfPresent(String.self, forKey: .text) {
            self = .text(value)
        } else if let value = try container.decodeIfPresent(Double.self, forKey: .number) {
            self = .number(value)
        } else if let value = try container.decodeIfPresent(Float.self, forKey: .single) {
            self = .single(value)
        } else if let value = try container.decodeIfPresent(Int64.self, forKey: .whole) {
            self = .whole(value)
        } else if let value = try container.decodeIfPresent(Bool.self, forKey: .truth) {
            self = .truth(value)
        } else if let value = try container.decodeIfPresent([Anything].self, forKey: .list) {
            self = .list(value)
        } else {
            self = .mapping(try container.decode([String: Anything].self, forKey: .mapping))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        switch self {
        case .text(let value): try container.encode(value, forKey: .text)
        case .number(let value): try container.encode(value, forKey: .number)
        case .single(let value): try container.encode(value, forKey: .single)
        case .whole(let value): try container.encode(value, forKey: .whole)
        case .truth(let value): try container.encode(value, forKey: .truth)
        case .list(let value): try container.encode(value, forKey: .list)
        case .mapping(let value): try container.encode(value, forKey: .mapping)
        }
    }

    static func random(depth: Int, _ random: inout SeededGenerator) -> Anything {
        switch Int.random(in: 0..<(depth > 0 ? 7 : 5), using: &random) {
        case 0: .text(randomText(&random))
        case 1:
            .number(
                { $0.isFinite ? $0 : 1.5 }(
                    Bool.random(using: &random)
                        ? Double(bitPattern: random.next()) : Double.random(in: -10...10, using: &random)))
        case 2:
            .single({ $0.isFinite ? $0 : 2.5 }(Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))))
        case 3: .whole(Int64(bitPattern: random.next()))
        case 4: .truth(Bool.random(using: &random))
        case 5:
            .list((0..<Int.random(in: 0...4, using: &random)).map { _ in .random(depth: depth - 1, &random) })
        default:
            .mapping(
                Dictionary(
                    (0..<Int.random(in: 0...4, using: &random)).map { _ in
                        (randomText(&random), Anything.random(depth: depth - 1, &random))
                    }, uniquingKeysWith: { $1 }))
        }
    }

    private static func randomText(_ random: inout SeededGenerator) -> String {
        let special = [
            "", "true", "no", "null", "~", "1", "1e5", "-", "- a", "a: b", "#c", "{", "]", "*a", "&b", "!t",
            "<<", "ünï",
            "tab\there", "two\nlines", "quote\"s", "back\\slash", "'single'", " padded ", "0x10", ".inf", "%",
            "@", "`",
            "\u{1F600}", "\u{7}", "2024-01-01", "=", "a,b", "?", "|", ">",
        ]
        if Bool.random(using: &random) { return special.randomElement(using: &random)! }
        let letters = Array("abcXYZ019_-./:#{}[],&*!|>'\"%@` \t")
        return String(
            (0..<Int.random(in: 1...8, using: &random)).map { _ in letters.randomElement(using: &random)! })
    }
}

@Suite struct ConfigRoundTripTests {
    /// What is written reads back to the same value, to the bit, whatever its text and numbers are.
    @Test func anyValueRoundTrips() throws {
        var random = SeededGenerator()
        let seed = random.seed
        print("ConfigRoundTripTests.anyValueRoundTrips: PEO_TEST_SEED=\(seed)")
        for _ in 0..<2000 {
            let value = Anything.random(depth: 3, &random)
            let text = try ConfigEncoder.encode(value).yaml()
            let node = try ConfigNode(yaml: text)
            #expect(try ConfigDecoder.decode(Anything.self, from: node) == value, "seed \(seed):\n\(text)")
        }
    }

    @Test func valuesThatAreNotFiniteAreNotWritten() {
        #expect(throws: EncodingError.self) { try ConfigEncoder.encode(["sigma": Double.infinity]) }
        #expect(throws: EncodingError.self) { try ConfigEncoder.encode(["sigma": Double.nan]) }
    }
}
