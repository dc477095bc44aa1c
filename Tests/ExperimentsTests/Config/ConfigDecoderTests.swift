import Experiments
import Testing

/// A small configuration with every shape that the real one has.
private struct Sample: Codable, Equatable {
    enum Mode: String, Codable, CaseIterable { case min, max }

    /// A number, or a mapping.
    enum Rate: Codable, Equatable {
        case constant(Double)
        case cosine(from: Double, to: Double)

        enum CodingKeys: String, CodingKey { case cosine }
        struct Cosine: Codable { var from, to: Double }

        init(from decoder: any Decoder) throws {
            if let value = try? decoder.singleValueContainer().decode(Double.self) {
                self = .constant(value)
                return
            }
            let cosine = try decoder.container(keyedBy: CodingKeys.self).decode(Cosine.self, forKey: .cosine)
            self = .cosine(from: cosine.from, to: cosine.to)
        }

        func encode(to encoder: any Encoder) throws {
            switch self {
            case .constant(let value):
                var container = encoder.singleValueContainer()
                try container.encode(value)
            case .cosine(let from, let to):
                var container = encoder.container(keyedBy: CodingKeys.self)
                try container.encode(Cosine(from: from, to: to), forKey: .cosine)
            }
        }
    }

    struct Training: Codable, Equatable {
        var epochs: Int
        var seed: UInt64?
        var mode: Mode?
        var shuffle: Bool?
    }

    var name: String?
    var training: Training
    var rates: [Rate]?
    var table: [String: Double]?
}

private func decode(_ yaml: String, set overrides: [String] = []) throws -> Sample {
    var node = try ConfigNode(yaml: yaml, file: "test.yaml")
    for override in overrides { try node.apply(ConfigOverride(parsing: override)) }
    return try ConfigDecoder.decode(Sample.self, from: node, file: "test.yaml")
}

/// The message of the `ConfigError` that reading `yaml` throws.
private func failure(_ yaml: String, set overrides: [String] = []) -> String {
    do {
        let value = try decode(yaml, set: overrides)
        return "no error: \(value)"
    } catch let error as ConfigError {
        return error.description
    } catch {
        return "another error: \(error)"
    }
}

@Suite struct ConfigDecoderTests {
    @Test func readsEveryShape() throws {
        let sample = try decode(
            """
            # a comment
            name: "12"
            training: {epochs: 1e3, seed: 18446744073709551615, mode: max, shuffle: no}
            rates: [1, 1e-3, 0.01, {cosine: {from: 1, to: 0}}]
            table: {a: -1, b: +.5}
            """)
        #expect(sample.name == "12")
        #expect(sample.training == .init(epochs: 1000, seed: .max, mode: .max, shuffle: false))
        #expect(sample.rates == [.constant(1), .constant(1e-3), .constant(0.01), .cosine(from: 1, to: 0)])
        #expect(sample.table == ["a": -1, "b": 0.5])
    }

    @Test func anchorsAndMergesWork() throws {
        let sample = try decode(
            """
            training: &base {epochs: 3, seed: 5}
            rates: [&r 0.5, *r]
            """)
        #expect(sample.rates == [.constant(0.5), .constant(0.5)])
        let merged = try ConfigNode(yaml: "base: &base {epochs: 3, seed: 5}\ntraining: {<<: *base, seed: 6}")
        let training = try ConfigDecoder.decode(Sample.Training.self, from: #require(merged["training"]))
        #expect(training == .init(epochs: 3, seed: 6))
    }

    @Test(arguments: [
        (
            "training:\n  epochs: 3\n  epocs: 4",
            "test.yaml:3: training.epocs: unknown key 'epocs'; did you mean 'epochs'? "
                + "(allowed: epochs, mode, seed, shuffle)"
        ),
        (
            "training: {epochz: 3}",
            "test.yaml:1: training.epochz: unknown key 'epochz'; did you mean 'epochs'?"
        ),
        ("name: x", "test.yaml:1: the key 'training' is missing here"),
        ("training: {epochs: many}", "test.yaml:1: training.epochs: expected a whole number, found 'many'"),
        ("training: {epochs: 2.5}", "test.yaml:1: training.epochs: expected a whole number, found '2.5'"),
        (
            "training: {epochs: \"3\"}",
            "test.yaml:1: training.epochs: expected a whole number, found the text \"3\""
        ),
        ("training: {epochs: }", "test.yaml:1: training.epochs: expected a whole number, found nothing"),
        (
            "training: {epochs: 1, seed: -1}",
            "test.yaml:1: training.seed: '-1' is not in the range 0 to 18446744073709551615"
        ),
        (
            "training: {epochs: 1, mode: maxx}",
            "test.yaml:1: training.mode: unknown name 'maxx'; did you mean 'max'? (allowed: min, max)"
        ),
        ("training: 5", "test.yaml:1: training: expected a mapping, found '5'"),
        (
            "training: {epochs: 1}\nrates:\n  - 1\n  - abc",
            "test.yaml:4: rates.1: expected a number or a mapping, found 'abc'"
        ),
        (
            "training: {epochs: 1}\nrates: [{cosine: {from: 1, to: .inf}}]",
            "test.yaml:2: rates.0.cosine.to: expected a finite number, found '.inf'"
        ),
        (
            "training: {epochs: 1}\ntable: {a: .nan}",
            "test.yaml:2: table.a: expected a finite number, found '.nan'"
        ),
        (
            "training: {epochs: 1}\ntable: {a: 1e999}",
            "test.yaml:2: table.a: '1e999' is too large for a number"
        ),
        ("training: {epochs: 1}\nrates: 3", "test.yaml:2: rates: expected a list, found '3'"),
        (
            "training: {epochs: 1, shuffle: 1}",
            "test.yaml:1: training.shuffle: expected true or false, found '1'"
        ),
        ("a: 1\nb: [}\nc: 2", "test.yaml:2: not valid YAML at column 5"),
        ("a: 1\na: 2", "the key 'a' stands here more than once"),
        ("a: 1\n---\nb: 2", "test.yaml:2: a second document starts here"),
        ("", "test.yaml: the file is empty"),
        ("# only a comment", "test.yaml: the file is empty"),
        ("- 1\n- 2", "test.yaml:1: expected a mapping, found a list of 2"),
        ("? [a]\n: 1", "a key must be a name"),
        ("training: !!python/object {epochs: 1}", "the tag"),
        ("training: *nowhere", "undefined alias"),
    ])
    func refusesWithTheCulpritAndItsLine(yaml: String, message: String) {
        #expect(failure(yaml).contains(message), "got: \(failure(yaml))")
    }

    @Test func overridesReplaceAddAndIndex() throws {
        let yaml = "training: {epochs: 1}\nrates: [1, 2]"
        let sample = try decode(
            yaml,
            set: [
                "training.epochs=7", "training.seed=9", "rates.0=0.5", "rates.2={cosine: {from: 1, to: 0}}",
                "table.x=1e-3", "name='a=b'",
            ])
        #expect(sample.training == .init(epochs: 7, seed: 9))
        #expect(sample.rates == [.constant(0.5), .constant(2), .cosine(from: 1, to: 0)])
        #expect(sample.table == ["x": 1e-3])
        #expect(sample.name == "a=b")
        #expect(try decode(yaml, set: ["rates="]).rates == nil)
        #expect(try decode("training: {epochs: 1}", set: ["rates.0=3"]).rates == [.constant(3)])
    }

    @Test(arguments: [
        ("training.epochs=x", "--set training.epochs: expected a whole number, found 'x'"),
        ("training.epoch=3", "--set training.epoch: unknown key 'epoch'; did you mean 'epochs'?"),
        (
            "training.epochs.deep=3",
            "--set training.epochs.deep: 'training.epochs' is '1', which has no key 'deep'"
        ),
        ("rates.5=3", "--set rates.5: 'rates' is a list; '5' must be an index from 0 to 1, or 2 to add one"),
        ("rates.x=3", "--set rates.x: 'rates' is a list; 'x' must be an index"),
        ("training.epochs", "--set training.epochs: expected key.path=value"),
        ("training..epochs=1", "a key of the path is empty"),
        ("training=[", "--set training: not valid YAML"),
        (
            "training={epochs: 1, sed: 2}",
            "--set training: training.sed: unknown key 'sed'; did you mean 'seed'?"
        ),
    ])
    func overridesThatCannotBeAppliedAreRefused(override: String, message: String) {
        let text = failure("training: {epochs: 1}\nrates: [1, 2]", set: [override])
        #expect(text.contains(message), "got: \(text)")
    }

    @Test func bombsAreRefusedQuickly() {
        let levels = (1..<12).map { "a\($0): &a\($0) [*a\($0 - 1), *a\($0 - 1), *a\($0 - 1)]" }
        let bomb = (["a0: &a0 [x]"] + levels).joined(separator: "\n")
        let keys = (1..<6).map {
            "a\($0): &a\($0) [\(Array(repeating: "*a\($0 - 1)", count: 20).joined(separator: ","))]"
        }
        for yaml in [
            String(repeating: "[", count: 5000), String(repeating: "- ", count: 50_000) + "x", bomb,
            (["a0: &a0 [x]"] + keys + ["? *a5", ": 1"]).joined(separator: "\n"),
            String(repeating: "{a: ", count: 150) + "1" + String(repeating: "}", count: 150),
            String(repeating: "x", count: 200_000),
            (0..<60).map { String(repeating: " ", count: $0) + "a:" }.joined(separator: "\n"),
        ] {
            let elapsed = ContinuousClock().measure {
                #expect(throws: ConfigError.self) { try ConfigNode(yaml: yaml) }
            }
            #expect(elapsed < .seconds(2), "\(yaml.prefix(40)) took \(elapsed)")
        }
    }
}
