/// x ← A·x + noise of covariance Q: what a rule that is linear in ĝ does on a quadratic, in any dimension.
struct LinearSystem {
    /// Rows of A.
    var a: [[Double]]
    /// The covariance of one step's noise.
    var q: [[Double]]

    /// E[x·xᵀ] after `steps` steps from x = 0; by squaring, so that millions of steps cost nothing.
    func covariance(steps: Int) -> [[Double]] {
        var (result, power) = (q, a)
        // P(2n) = P(n) + Aⁿ·P(n)·(Aⁿ)ᵀ.
        var n = 1
        while n < steps {
            result = Self.sum(result, Self.product(power, Self.product(result, Self.transposed(power))))
            power = Self.product(power, power)
            n *= 2
        }
        return result
    }

    /// At stationarity.
    var stationary: [[Double]] { covariance(steps: 1 << 40) }

    static func product(_ x: [[Double]], _ y: [[Double]]) -> [[Double]] {
        x.map { row in
            y[0].indices.map { column in zip(row, y).reduce(0) { $0 + $1.0 * $1.1[column] } }
        }
    }

    static func transposed(_ x: [[Double]]) -> [[Double]] {
        x[0].indices.map { column in x.map { $0[column] } }
    }

    static func sum(_ x: [[Double]], _ y: [[Double]]) -> [[Double]] {
        zip(x, y).map { zip($0, $1).map { $0 + $1 } }
    }

    /// The noise s·ξ of one variate, through the column b.
    static func noise(_ b: [Double], variance: Double) -> [[Double]] {
        b.map { x in b.map { x * $0 * variance } }
    }
}
