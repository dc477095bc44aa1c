import Foundation
import PerturbedEquations

/// The states of all copies, whatever their type.
protocol EnvironmentCopies: AnyObject {
    /// Begins the episodes that `memory.progress` names.
    func begin(_ memory: CopyMemory) -> CopyFault?
    func step(_ range: Range<Int>, _ memory: CopyMemory) -> CopyFault?
    func encodedStates() throws -> Data
    func encodedSettings() throws -> Data
    /// - Throws: what the decoder says, where these are not the states of as many copies.
    func restore(_ states: Data, _ memory: CopyMemory) throws -> CopyFault?
}

/// States that are well-formed, and not of these copies.
struct WrongStates: Error, CustomStringConvertible {
    let description: String
}

final class TypedCopies<E: Environment>: EnvironmentCopies {
    private let environment: E
    private let states: UnsafeMutablePointer<E.State>
    private let count: Int

    init(_ environment: E, count: Int, _ memory: CopyMemory) {
        self.environment = environment
        self.count = count
        states = .allocate(capacity: count)
        for copy in 0..<count {
            (states + copy).initialize(to: environment.initialState(memory.progress[copy].noise))
        }
    }

    deinit {
        states.deinitialize(count: count)
        states.deallocate()
    }

    func begin(_ memory: CopyMemory) -> CopyFault? {
        for copy in 0..<count { states[copy] = environment.initialState(memory.progress[copy].noise) }
        return observe(memory)
    }

    func step(_ range: Range<Int>, _ memory: CopyMemory) -> CopyFault? {
        environment.stepCopies(range, states: states, memory: memory)
    }

    func encodedSettings() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return try encoder.encode(environment)
    }

    func encodedStates() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return try encoder.encode(Array(UnsafeBufferPointer(start: states, count: count)))
    }

    func restore(_ data: Data, _ memory: CopyMemory) throws -> CopyFault? {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        let new = try decoder.decode([E.State].self, from: data)
        guard new.count == count else {
            throw WrongStates(description: "it has \(new.count) states for \(count) copies")
        }
        for copy in 0..<count { states[copy] = new[copy] }
        return observe(memory)
    }

    private func observe(_ memory: CopyMemory) -> CopyFault? {
        for copy in 0..<count {
            if let fault = environment.observeCopy(copy, states, memory.observations, memory) {
                return fault
            }
        }
        return nil
    }
}
