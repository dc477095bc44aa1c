import PerturbedEquations

/// The points of a ``SobolSequence``, shifted by random digits: each is uniform, and together they are as even as before.
package struct SobolSampler: PointSampler {
    private let sequence: SobolSequence
    private let shift: [UInt32]

    package init(dimensions: Int, key: NoiseKey) {
        sequence = SobolSequence(dimensions: dimensions)
        let own = key.derived("sobol")
        shift = (0..<dimensions).map { UInt32(truncatingIfNeeded: own.word(UInt64($0))) }
    }

    package func point(ofTrial trial: Int, seen: [SeenPoint]) -> [Double] {
        zip(sequence.words(of: UInt32(trial)), shift).map { Double($0 ^ $1) * 0x1p-32 }
    }
}
