import PerturbedEquations

/// What the made data of random sequences have in common: how long they are, and how many there are.
///
/// Symbol i of sequence k is drawn evenly by `NoiseKey(seed: 0).derived(task).derived("train" or "test").derived(k)`:
/// the same for every run. Training and test sequences are independent, so short ones may be in both.
struct DrawnSequences: Codable, Hashable, Sendable {
    var length: Int
    var train: Int
    var test: Int

    init(length: Int) { (self.length, train, test) = (length, 10_000, 1_000) }

    init<Key: CodingKey>(
        _ settings: SourceSettings<Key>, length: Int, _ lengthKey: Key, _ train: Key, _ test: Key
    ) throws {
        self.length = try settings.number(lengthKey, default: length, in: 1...10_000)
        self.train = try settings.number(train, default: 10_000, in: 1...10_000_000)
        self.test = try settings.number(test, default: 1_000, in: 1...10_000_000)
    }

    static func parameters(length: Int) -> [CatalogueEntry.Parameter] {
        [
            .init(
                "length", "integer", default: "\(length)", allowed: "1 to 10000", unit: "tokens",
                "of a random sequence"),
            .init("train", "integer", default: "10000", allowed: "1 to 10000000", "sequences to fit with"),
            .init("test", "integer", default: "1000", allowed: "1 to 10000000", "sequences to measure on"),
        ]
    }

    /// The sequences of one part, one after the other.
    func draw(_ task: String, _ part: String, symbols: Int) -> [[Int]] {
        let key = NoiseKey(seed: 0).derived(task).derived(part)
        return (0..<(part == "train" ? train : test)).map { number in
            let own = key.derived(UInt64(number))
            return (0..<length).map { Int(own.uniformIndex(below: UInt64(symbols), UInt64($0))) }
        }
    }
}
