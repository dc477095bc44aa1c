import Environments
import Foundation
import PerturbedEquations
import Testing

/// The distributions of the first observations: range, mean, variance and independence of the elements.
@Suite struct InitialStateTests {
    private static let draws = 20_000

    /// First observations, a row for each episode.
    private func starts(_ environment: some Environment) throws -> [[Float]] {
        let vector = try VectorEnvironment(environment, copies: Self.draws, seed: 12)
        let size = vector.observationSpace.count
        return (0..<Self.draws).map { Array(vector.observations[$0 * size..<($0 + 1) * size]) }
    }

    /// Holds columns against the uniform law: five standard errors.
    private func expectUniform(_ columns: [[Double]], _ ranges: [ClosedRange<Double>], _ name: String) {
        let n = Double(Self.draws)
        for (i, (column, range)) in zip(columns, ranges).enumerated() {
            let (low, width) = (range.lowerBound, range.upperBound - range.lowerBound)
            let u = column.map { ($0 - low) / width }
            #expect(u.allSatisfy { (-1e-6...1 + 1e-6).contains($0) }, "\(name) \(i)")
            #expect(u.min()! < 1e-3 && u.max()! > 1 - 1e-3, "\(name) \(i)")
            let mean = u.reduce(0, +) / n
            let square = u.map { ($0 - 0.5) * ($0 - 0.5) }.reduce(0, +) / n
            #expect(abs(mean - 0.5) < 5 * (1 / 12 / n).squareRoot(), "\(name) \(i): \(mean)")
            // The variance of (u − ½)² is 1/80 − 1/144 = 1/180.
            #expect(abs(square - 1.0 / 12) < 5 * (1 / 180 / n).squareRoot(), "\(name) \(i): \(square)")
            for j in 0..<i {
                let v = columns[j].map {
                    ($0 - ranges[j].lowerBound) / (ranges[j].upperBound - ranges[j].lowerBound)
                }
                let covariance = zip(u, v).map { ($0 - 0.5) * ($1 - 0.5) }.reduce(0, +) / n
                #expect(abs(covariance) < 5 / 12 / n.squareRoot(), "\(name) \(i), \(j): \(covariance)")
            }
        }
    }

    private func columns(_ rows: [[Float]], _ which: [Int]) -> [[Double]] {
        which.map { i in rows.map { Double($0[i]) } }
    }

    @Test func cartPole() throws {
        let rows = try starts(CartPole())
        expectUniform(
            columns(rows, [0, 1, 2, 3]), [ClosedRange<Double>](repeating: -0.05...0.05, count: 4), "CartPole")
    }

    @Test func mountainCars() throws {
        for rows in [try starts(MountainCar()), try starts(MountainCarContinuous())] {
            expectUniform(columns(rows, [0]), [-0.6...(-0.4)], "MountainCar")
            #expect(rows.allSatisfy { $0[1] == 0 })
        }
    }

    @Test func pendulum() throws {
        let rows = try starts(Pendulum())
        let angles = rows.map { Double(atan2($0[1], $0[0])) }
        expectUniform([angles] + columns(rows, [2]), [-Double.pi...Double.pi, -1...1], "Pendulum")
    }

    @Test func acrobot() throws {
        let rows = try starts(Acrobot())
        let angles = [0, 2].map { i in rows.map { Double(atan2($0[i + 1], $0[i])) } }
        expectUniform(
            angles + columns(rows, [4, 5]), [ClosedRange<Double>](repeating: -0.1...0.1, count: 4), "Acrobot")
    }

    @Test func anEpisodesNoiseIsUniformAndAddressed() {
        let key = NoiseKey(seed: 1)
        let noise = EpisodeNoise(key: key, step: 3)
        #expect(noise.uniform(5) == EpisodeNoise(key: key, step: 3).uniform(5))
        let values = Set(
            (0..<100).flatMap { step in (0..<100).map { EpisodeNoise(key: key, step: step).word($0) } })
        #expect(values.count == 10_000)
        #expect((0..<1000).allSatisfy { (0..<1).contains(noise.uniform($0)) })
    }
}
