import Foundation

/// Damages the bytes of a well-formed file in the ways that transfers, editors and attackers do.
///
/// Half of the mutations know the format's words (`tokens`), which take a reader further than noise does.
package struct ByteMutator: Sendable {
    private var generator: SeededGenerator
    private let tokens: [Data]

    /// - Parameters:
    ///   - generator: its seed belongs in the failure message.
    ///   - tokens: words and numbers that mean something in the format.
    package init(_ generator: SeededGenerator, tokens: [String] = []) {
        self.generator = generator
        self.tokens =
            (tokens + ["", "-1", "0", "99999999999999999999", "1e999", "NaN", "\u{0}", "\u{FFFD}"])
            .map { Data($0.utf8) } + [
                Data([0xFF, 0xFF, 0xFF, 0xFF]), Data([0x80]), Data([0, 0, 0, 0, 0, 0, 0, 1]),
            ]
    }

    /// Any of the originals with one to six mutations.
    package mutating func next(of originals: [Data]) -> Data {
        var bytes = [UInt8](originals.randomElement(using: &generator)!)
        for _ in 0..<Int.random(in: 1...6, using: &generator) { mutate(&bytes) }
        return Data(bytes)
    }

    private mutating func mutate(_ bytes: inout [UInt8]) {
        func place(_ generator: inout SeededGenerator) -> Int {
            Int.random(in: 0...bytes.count, using: &generator)
        }
        let start = place(&generator)
        let end = min(bytes.count, start + Int.random(in: 0...16, using: &generator))
        switch Int.random(in: 0..<8, using: &generator) {
        case 0: if start < bytes.count { bytes[start] ^= 1 << UInt8.random(in: 0..<8, using: &generator) }
        case 1: if start < bytes.count { bytes[start] = UInt8.random(in: 0...255, using: &generator) }
        case 2: bytes.removeLast(bytes.count - start)
        case 3: bytes.removeSubrange(start..<end)
        case 4: bytes.insert(contentsOf: bytes[start..<end], at: place(&generator))
        case 5: bytes.replaceSubrange(start..<end, with: tokens.randomElement(using: &generator)!)
        default: bytes.insert(contentsOf: tokens.randomElement(using: &generator)!, at: start)
        }
    }
}

/// Gives a reader `rounds` damaged files: it must return or throw one of the errors that `allows` knows, and name the file.
/// A trap, or an allocation that the system refuses, ends the test process.
///
/// - Returns: what is wrong, seed and all; nil where nothing is.
package func fuzz(
    _ originals: [Data], tokens: [String] = [], rounds: Int = 2000, _ read: (Data) throws -> Void,
    allows: (any Error) -> Bool
) -> String? {
    let generator = SeededGenerator()
    var mutator = ByteMutator(generator, tokens: tokens)
    for round in 0..<rounds {
        let data = mutator.next(of: originals)
        do {
            try read(data)
        } catch {
            guard !allows(error) else { continue }
            let shown = data.prefix(400).map { String(format: "%02x", $0) }.joined()
            return "PEO_TEST_SEED=\(generator.seed), round \(round), \(data.count) bytes \(shown): "
                + "\(type(of: error)): \(error)"
        }
    }
    return nil
}
