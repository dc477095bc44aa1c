import Foundation
import PerturbedEquations
import Synchronization
import Training

/// Steps of an equation on a loss of few numbers, whose gradient is a formula: θ and g in float64, where they lie.
final class SmallProblem {
    private let arrays: ParameterArrays<Double>
    private let optimizer: PerturbedOptimizer

    /// θ, as it is now.
    var theta: UnsafeMutableBufferPointer<Double> { arrays.theta }

    /// - Parameters:
    ///   - start: θ(0).
    ///   - steps: how many there will be, for schedules that need it.
    /// - Throws: `ConfigurationError` for an equation that is refused.
    init(start: [Double], equation: PerturbedEquation, seed: UInt64, steps: Int) throws {
        optimizer = try PerturbedOptimizer(
            parameters: [ParameterSpec("theta", shape: [start.count], scalar: .float64)], equation: equation,
            seed: seed, horizon: steps)
        arrays = ParameterArrays(start)
    }

    /// Takes a step with the gradient that `fill` writes for θ.
    @inline(__always)
    func step(_ fill: (UnsafeBufferPointer<Double>, UnsafeMutableBufferPointer<Double>) -> Void) throws {
        fill(UnsafeBufferPointer(arrays.theta), arrays.gradient)
        try optimizer.step(arrays.buffers)
    }
}

/// What `body` gives for each element, side by side on the machine's cores, in the elements' order.
///
/// - Throws: what `body` throws first; `TrainingStopped` when interrupted.
func sideBySide<Element: Sendable, Result: Sendable>(
    _ elements: [Element], _ body: @Sendable (Element) throws -> Result
) throws -> [Result] {
    let results = Mutex([(place: Int, result: Swift.Result<Result, any Error>)]())
    DispatchQueue.concurrentPerform(iterations: elements.count) { place in
        guard !Interruption.isRequested else { return }
        let result = Swift.Result { try body(elements[place]) }
        results.withLock { $0.append((place, result)) }
    }
    let found = results.withLock { $0 }.sorted { $0.place < $1.place }
    guard found.count == elements.count else {
        throw TrainingStopped(
            .interrupted, "interrupted; the same command begins this experiment again", step: found.count,
            checkpointStep: nil)
    }
    return try found.map { try $0.result.get() }
}
