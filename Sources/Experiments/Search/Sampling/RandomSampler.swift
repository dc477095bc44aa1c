import PerturbedEquations

/// Independent uniform points.
///
/// Bergstra, Bengio (2012), "Random search for hyper-parameter optimization".
package struct RandomSampler: PointSampler {
    package let dimensions: Int
    package let key: NoiseKey

    package init(dimensions: Int, key: NoiseKey) {
        self.dimensions = dimensions
        self.key = key
    }

    package func point(ofTrial trial: Int, seen: [SeenPoint]) -> [Double] {
        let own = key.derived("random").derived(UInt64(trial))
        return (0..<dimensions).map { own.uniform(UInt64($0)) }
    }
}
