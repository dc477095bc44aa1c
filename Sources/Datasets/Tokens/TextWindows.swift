/// Windows of a long text: `length` tokens, and as targets the tokens that follow each of them.
///
/// Window i is the tokens s ..< s + length with s = start + i·stride; its targets are s + 1 ..< s + length + 1.
struct TextWindows: Sendable {
    let tokens: [Int32]
    /// The part of the text that is used, targets included.
    let range: Range<Int>
    let length: Int
    let stride: Int

    /// The number of windows; none if the part is shorter than a window and its last target.
    var count: Int { range.count <= length ? 0 : (range.count - length - 1) / stride + 1 }

    /// The windows without the last `count` of them, and the same text's end cut into windows that do not overlap.
    func cuttingOff(last count: Int) -> (rest: TextWindows, end: TextWindows) {
        let cut = range.upperBound - count * stride - length
        return (
            TextWindows(tokens: tokens, range: range.lowerBound..<cut, length: length, stride: stride),
            TextWindows(tokens: tokens, range: cut..<range.upperBound, length: length, stride: length)
        )
    }

    func copy(_ window: Int, inputs: UnsafeMutablePointer<Int64>, targets: UnsafeMutablePointer<Int64>) {
        let start = range.lowerBound + window * stride
        tokens.withUnsafeBufferPointer { tokens in
            for offset in 0..<length {
                inputs[offset] = Int64(tokens[start + offset])
                targets[offset] = Int64(tokens[start + offset + 1])
            }
        }
    }
}
