/// Σ term(i) over 0 ..< count in double precision, in eight lanes: an order that is fixed and that vector units can
/// follow.
@inline(__always)
func laneSum(_ count: Int, _ term: (Int) -> Double) -> Double {
    var lanes = SIMD8<Double>.zero
    var i = 0
    while i + 8 <= count {
        var terms = SIMD8<Double>.zero
        for j in 0..<8 { terms[j] = term(i + j) }
        lanes += terms
        i += 8
    }
    var sum = lanes.sum()
    while i < count {
        sum += term(i)
        i += 1
    }
    return sum
}
