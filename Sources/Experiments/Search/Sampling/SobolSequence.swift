/// Sobol's sequence: 2^m points hold one in each of the 2^m boxes of every elementary cut of the cube.
///
/// Point n has in each dimension the coordinate ⊕ v_j over the bits j that are set in Gray's code n ⊕ (n >> 1), with direction
/// numbers v_j = m_j/2^j from a primitive polynomial of degree s: m_j = 2a₁m_{j−1} ⊕ 4a₂m_{j−2} ⊕ … ⊕ 2^s m_{j−s} ⊕ m_{j−s}.
///
/// Sobol' (1967); the numbers are those of Joe and Kuo (2008), "Constructing Sobol sequences with better two-dimensional
/// projections", file new-joe-kuo-6.21201.
package struct SobolSequence: Sendable {
    /// The most dimensions.
    package static let mostDimensions = numbers.count + 1

    private let directions: [[UInt32]]

    /// - Parameter dimensions: 1 to ``mostDimensions``.
    package init(dimensions: Int) {
        precondition(
            (1...Self.mostDimensions).contains(dimensions), "Sobol's sequence has 1 to 32 dimensions")
        directions = (0..<dimensions).map { $0 == 0 ? Self.first : Self.directions(Self.numbers[$0 - 1]) }
    }

    /// The coordinates of point `index`, as fractions of 2³².
    package func words(of index: UInt32) -> [UInt32] {
        let code = index ^ (index >> 1)
        return directions.map { own in
            (0..<32).reduce(0) { (code >> UInt32($1)) & 1 == 1 ? $0 ^ own[$1] : $0 }
        }
    }

    /// The first dimension is van der Corput's sequence.
    private static let first = (0..<32).map { UInt32(1) << (31 - UInt32($0)) }

    private static func directions(_ number: (degree: Int, coefficients: UInt32, start: [UInt32])) -> [UInt32]
    {
        let degree = number.degree
        var v = number.start.enumerated().map { $1 << (31 - UInt32($0)) }
        for j in degree..<32 {
            var next = v[j - degree] ^ (v[j - degree] >> UInt32(degree))
            for k in 1..<max(degree, 1)
            where (number.coefficients >> UInt32(degree - 1 - k)) & 1 == 1 {
                next ^= v[j - k]
            }
            v.append(next)
        }
        return v
    }

    /// For the dimensions from the second: degree s of the polynomial, its inner coefficients a₁…a_{s−1} as bits, m₁…m_s.
    private static let numbers: [(degree: Int, coefficients: UInt32, start: [UInt32])] = [
        (1, 0, [1]),
        (2, 1, [1, 3]),
        (3, 1, [1, 3, 1]),
        (3, 2, [1, 1, 1]),
        (4, 1, [1, 1, 3, 3]),
        (4, 4, [1, 3, 5, 13]),
        (5, 2, [1, 1, 5, 5, 17]),
        (5, 4, [1, 1, 5, 5, 5]),
        (5, 7, [1, 1, 7, 11, 19]),
        (5, 11, [1, 1, 5, 1, 1]),
        (5, 13, [1, 1, 1, 3, 11]),
        (5, 14, [1, 3, 5, 5, 31]),
        (6, 1, [1, 3, 3, 9, 7, 49]),
        (6, 13, [1, 1, 1, 15, 21, 21]),
        (6, 16, [1, 3, 1, 13, 27, 49]),
        (6, 19, [1, 1, 1, 15, 7, 5]),
        (6, 22, [1, 3, 1, 15, 13, 25]),
        (6, 25, [1, 1, 5, 5, 19, 61]),
        (7, 1, [1, 3, 7, 11, 23, 15, 103]),
        (7, 4, [1, 3, 7, 13, 13, 15, 69]),
        (7, 7, [1, 1, 3, 13, 7, 35, 63]),
        (7, 8, [1, 3, 5, 9, 1, 25, 53]),
        (7, 14, [1, 3, 1, 13, 9, 35, 107]),
        (7, 19, [1, 3, 1, 5, 27, 61, 31]),
        (7, 21, [1, 1, 5, 11, 19, 41, 61]),
        (7, 28, [1, 3, 5, 3, 3, 13, 69]),
        (7, 31, [1, 1, 7, 13, 1, 19, 1]),
        (7, 32, [1, 3, 7, 5, 13, 19, 59]),
        (7, 37, [1, 1, 3, 9, 25, 29, 41]),
        (7, 41, [1, 3, 5, 13, 23, 1, 55]),
        (7, 42, [1, 3, 7, 3, 13, 59, 17]),
    ]
}
