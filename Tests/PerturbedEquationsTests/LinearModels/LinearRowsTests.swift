import Foundation
import PerturbedEquations
import TestSupport
import Testing

/// Losses of linear models and their gradient: against the formula, and with the same bits however they are computed.
@Suite struct LinearRowsTests {
    /// Rows of which some numbers are zero, in all forms.
    struct Problem<S: EquationScalar> {
        let (rows, width, stride): (Int, Int, Int)
        var dense: [S]
        var bits: [UInt16]
        var starts: [Int64] = [0]
        var columns: [UInt32] = []
        var entries: [S] = []
        var targets: [S]
        var theta: [S]
        let batch: [Int]

        init(rows: Int, width: Int, binary: Bool, labels: Bool, _ random: inout SeededGenerator) {
            (self.rows, self.width, stride) = (rows, width, (width + 15) / 16 * 16)
            dense = [S](repeating: 0, count: rows * stride)
            bits = [UInt16](repeating: 0, count: rows * stride / 16)
            for row in 0..<rows {
                for column in 0..<width where Int.random(in: 0..<3, using: &random) == 0 {
                    let value = binary ? 1 : S(Double.random(in: -1...1, using: &random))
                    dense[row * stride + column] = value
                    bits[(row * stride + column) / 16] |= 1 << (column % 16)
                    columns.append(UInt32(column))
                    entries.append(value)
                }
                starts.append(Int64(columns.count))
            }
            targets = (0..<rows).map { _ in
                labels ? (Bool.random(using: &random) ? 1 : -1) : S(Double.random(in: -3...3, using: &random))
            }
            theta = (0...width).map { _ in S(Double.random(in: -2...2, using: &random)) }
            batch = (0..<(rows * 3 / 4 + 1)).map { _ in Int.random(in: 0..<rows, using: &random) }
        }

        enum Form: CaseIterable { case dense, bits, sparse, ones }

        func losses(
            _ loss: LinearLoss, _ form: Form, intercept: Bool = true, level: SIMDLevel = .highest
        ) -> (losses: Double, gradient: [S]) {
            var gradient = [S](repeating: 0, count: width + (intercept ? 1 : 0))
            let losses = dense.withUnsafeBufferPointer { dense in
                bits.withUnsafeBufferPointer { bits in
                    starts.withUnsafeBufferPointer { starts in
                        columns.withUnsafeBufferPointer { columns in
                            entries.withUnsafeBufferPointer { entries in
                                targets.withUnsafeBufferPointer { targets in
                                    let targets = targets.baseAddress!
                                    let rows =
                                        switch form {
                                        case .dense:
                                            LinearRows(
                                                values: dense.baseAddress!, width: width, stride: stride,
                                                targets: targets)
                                        case .bits:
                                            LinearRows(
                                                bits: bits.baseAddress!, width: width, stride: stride,
                                                targets: targets)
                                        case .sparse, .ones:
                                            LinearRows(
                                                starts: starts.baseAddress!, columns: columns.baseAddress!,
                                                values: form == .ones ? nil : entries.baseAddress!,
                                                width: width, targets: targets)
                                        }
                                    return theta[..<gradient.count].withUnsafeBufferPointer { theta in
                                        batch.withUnsafeBufferPointer { batch in
                                            gradient.withUnsafeMutableBufferPointer {
                                                rows.losses(
                                                    loss, at: theta, hasIntercept: intercept, batch: batch,
                                                    gradient: $0, level: level)
                                            }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
            return (losses, gradient)
        }

        /// In float64, by libm.
        func formula(_ loss: LinearLoss, intercept: Bool) -> (losses: Double, gradient: [Double]) {
            var sum = 0.0
            var gradient = [Double](repeating: 0, count: width + (intercept ? 1 : 0))
            for row in batch {
                let x = (0..<width).map { Double(dense[row * stride + $0]) } + (intercept ? [1] : [])
                let z = zip(x, theta).reduce(0.0) { $0 + $1.0 * Double($1.1) }
                let y = Double(targets[row])
                let slope: Double
                switch loss {
                case .logistic:
                    let m = y * z
                    sum += m > 0 ? log1p(exp(-m)) : -m + log1p(exp(m))
                    slope = -y / (1 + exp(m))
                case .gaussian(let deviation):
                    sum += 0.5 * (z - y) * (z - y) / (deviation * deviation)
                    slope = (z - y) / (deviation * deviation)
                }
                for i in gradient.indices { gradient[i] += slope * x[i] }
            }
            return (sum, gradient)
        }
    }

    static let sizes = [(1, 1), (7, 15), (64, 16), (65, 17), (300, 123), (200, 300)]

    @Test(arguments: sizes) func theyAreTheFormula(_ rows: Int, _ width: Int) {
        var random = SeededGenerator()
        func check<S: EquationScalar>(_: S.Type, _ tolerance: Double) {
            for loss in [LinearLoss.logistic, .gaussian(deviation: 0.7)] {
                for binary in [false, true] {
                    let problem = Problem<S>(
                        rows: rows, width: width, binary: binary, labels: loss == .logistic, &random)
                    for form in Problem<S>.Form.allCases where binary || form == .dense || form == .sparse {
                        for intercept in [true, false] {
                            let found = problem.losses(loss, form, intercept: intercept)
                            let exact = problem.formula(loss, intercept: intercept)
                            let name = "\(S.self), \(loss), \(form), seed \(random.seed)"
                            #expect(
                                abs(found.losses - exact.losses) <= tolerance * max(1, exact.losses),
                                "\(name)")
                            let size = max(1, exact.gradient.map { abs($0) }.max()!)
                            for (a, b) in zip(found.gradient, exact.gradient) {
                                #expect(abs(Double(a) - b) <= tolerance * size, "\(name)")
                            }
                        }
                    }
                }
            }
        }
        check(Double.self, 1e-13)
        check(Float.self, 1e-5)
    }

    /// Levels do not differ, nor do zeros and ones as bits and as numbers, nor ones with their values and without.
    @Test func theBitsDependOnTheRowsAlone() {
        var random = SeededGenerator()
        func check<S: EquationScalar>(_: S.Type) {
            for loss in [LinearLoss.logistic, .gaussian(deviation: 0.7)] {
                let problem = Problem<S>(
                    rows: 300, width: 123, binary: true, labels: loss == .logistic, &random)
                let (dense, sparse) = (problem.losses(loss, .dense), problem.losses(loss, .sparse))
                for level in SIMDLevel.supported {
                    let name: Comment = "\(S.self), \(loss), \(level), seed \(random.seed)"
                    for (form, expected) in [
                        (Problem<S>.Form.dense, dense), (.bits, dense), (.sparse, sparse), (.ones, sparse),
                    ] {
                        let found = problem.losses(loss, form, level: level)
                        #expect(found.losses == expected.losses && found.gradient == expected.gradient, name)
                    }
                }
                #expect(abs(dense.losses - sparse.losses) < 1e-4 * dense.losses)
            }
        }
        check(Float.self)
        check(Double.self)
    }

    /// Margins of any size have a loss, and what is not a number stays none.
    @Test func extremes() {
        var random = SeededGenerator()
        func check<S: EquationScalar>(_: S.Type, _ tolerance: Double) {
            var problem = Problem<S>(rows: 5, width: 1, binary: false, labels: true, &random)
            for margin in [0.0, 1e-6, 1, 20, 80, 90, 700, 720, 1e6, 1e30] {
                for sign in [1.0, -1] {
                    problem.theta = [0, S(sign * margin)]
                    problem.targets = [1, 1, 1, 1, 1]
                    let found = problem.losses(.logistic, .dense)
                    let n = Double(problem.batch.count)
                    let m = Double(problem.theta[1])
                    let exact = n * (m > 0 ? log1p(exp(-m)) : -m + log1p(exp(m)))
                    #expect(abs(found.losses - exact) <= tolerance * max(1, exact), "\(S.self), \(m)")
                    let slope = -n / (1 + exp(m))
                    #expect(abs(Double(found.gradient[1]) - slope) <= tolerance * n, "\(S.self), \(m)")
                }
            }
            for bad in [S.nan, .infinity] {
                problem.theta = [0, bad]
                problem.targets = [-1, -1, -1, -1, -1]
                #expect(!problem.losses(.logistic, .dense).losses.isFinite)
                #expect(!problem.losses(.gaussian(deviation: 1), .dense).losses.isFinite)
            }
            problem.theta = [0, .nan]
            #expect(problem.losses(.logistic, .sparse).gradient[1].isNaN)
        }
        check(Float.self, 1e-6)
        check(Double.self, 1e-13)
    }
}
