import PerturbedEquations
import Torch

extension GradientWatch {
    /// Elements of a gradient from which on the threads share it: fewer are looked at before another thread wakes up.
    private static let leastShared = 1 << 18

    /// Watches a model's gradients for an optimizer's finite check; nil where its steps would not gain by it.
    ///
    /// - Throws: `TorchError` where there is no memory.
    convenience init?(_ list: TensorList, for core: PerturbedOptimizer) throws(TorchError) {
        let isOfArithmetic = list.tensors.allSatisfy { [.float32, .float64].contains($0.dtype) }
        guard core.gainsFromLargestGradient, !list.tensors.isEmpty, isOfArithmetic else { return nil }
        try self.init(list) { data, count, type in
            switch DType(rawValue: type) {
            case .float32: GradientWatch.largest(data, count, Float.self)
            case .float64: GradientWatch.largest(data, count, Double.self)
            // A gradient of another type than its parameter's: the step looks itself.
            default: .infinity
            }
        }
    }

    private static func largest<S: EquationScalar>(
        _ data: UnsafeRawPointer, _ count: Int, _: S.Type
    ) -> Double {
        let elements = UnsafeBufferPointer(start: data.assumingMemoryBound(to: S.self), count: count)
        let threads = Threads.count
        guard count >= leastShared, threads > 1 else { return largestSize(of: elements) }
        return withUnsafeTemporaryAllocation(of: Double.self, capacity: threads) { sizes in
            nonisolated(unsafe) let (elements, sizes) = (elements, sizes)
            Threads.parallelFor(threads: threads, count: threads) { share in
                let range = share * count / threads..<(share + 1) * count / threads
                sizes.initializeElement(
                    at: share, to: largestSize(of: UnsafeBufferPointer(rebasing: elements[range])))
            }
            // `max` would pass over a NaN.
            return sizes.reduce(0) { $0.isNaN || $0 > $1 ? $0 : $1 }
        }
    }
}
