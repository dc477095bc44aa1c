/// How stored bytes become numbers for a network: x = (byte / maximum − mean) / deviation, in `Float`.
///
/// With `maximum` 255 these are the same bits as torchvision's `ToTensor` followed by `Normalize`.
public struct PixelScale: Sendable, Hashable {
    /// The byte that stands for 1.
    public let maximum: Float
    /// The mean over the training part, after division by `maximum`.
    public let mean: Float
    /// The standard deviation over the training part, after division by `maximum`; above 0.
    public let deviation: Float

    /// - Precondition: `maximum` and `deviation` are above 0 and finite.
    public init(maximum: Float, mean: Float = 0, deviation: Float = 1) {
        precondition(maximum > 0 && maximum.isFinite && deviation > 0 && deviation.isFinite)
        self.maximum = maximum
        self.mean = mean
        self.deviation = deviation
    }

    /// The number for each of the 256 bytes.
    public var table: [Float] {
        (0..<256).map { (Float($0) / maximum - mean) / deviation }
    }

    /// What the bytes 0 and `maximum` stand for.
    public var range: ClosedRange<Float> { (0 - mean) / deviation...(1 - mean) / deviation }
}
