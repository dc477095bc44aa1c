import Foundation
import PerturbedEquations

/// Damage to training images, at severities 1 to 5: blur, lost contrast, Gaussian noise, in this order.
///
/// With pixels in 0...1, per channel: blur is a convolution with a Gaussian of σ = 0.4, 0.6, 0.7, 0.8 or 1 pixels, the
/// border's pixels repeated; contrast makes x ← (x − mean)·c + mean with c = 0.75, 0.5, 0.4, 0.3 or 0.15; gaussian makes
/// x ← x + σξ with σ = 0.04, 0.06, 0.08, 0.09 or 0.1. Where the data are bytes the result stays within their range;
/// numbers without a range are taken as if it were 1 wide. Wrong labels are `labelNoise`'s.
///
/// What is drawn is a pure function of (seed, example), so that an image stays as damaged as it is; or of (seed, epoch,
/// example).
///
/// ```yaml
/// training: {corrupt: {gaussian: 3, rate: 0.5}}
/// training: {corrupt: {blur: 2, contrast: 1, redraw: everyEpoch}}
/// ```
///
/// Source: Hendrycks and Dietterich 2019, Benchmarking Neural Network Robustness (the severities of CIFAR-10-C).
public struct Corruption: Codable, Sendable, Equatable {
    /// When damage is drawn.
    public enum Redraw: String, Codable, Sendable, CaseIterable {
        /// Once for each example.
        case once
        /// Independently in every epoch.
        case everyEpoch
    }

    /// Severities, 0 to 5; 0: none.
    public var blur: Int
    public var contrast: Int
    public var gaussian: Int
    /// The share of images that are damaged, 0 to 1.
    public var rate: Double
    public var redraw: Redraw

    public init(
        blur: Int = 0, contrast: Int = 0, gaussian: Int = 0, rate: Double = 1, redraw: Redraw = .once
    ) {
        self.blur = blur
        self.contrast = contrast
        self.gaussian = gaussian
        self.rate = rate
        self.redraw = redraw
    }

    private enum CodingKeys: String, CodingKey { case blur, contrast, gaussian, rate, redraw }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func severity(_ key: CodingKeys) throws -> Int {
            let value = try container.decodeIfPresent(Int.self, forKey: key) ?? 0
            guard (0...5).contains(value) else {
                throw DecodingError.dataCorruptedError(
                    forKey: key, in: container, debugDescription: "is \(value); allowed: severities 0 to 5")
            }
            return value
        }
        blur = try severity(.blur)
        contrast = try severity(.contrast)
        gaussian = try severity(.gaussian)
        rate = try container.decodeIfPresent(Double.self, forKey: .rate) ?? 1
        redraw = try container.decodeIfPresent(Redraw.self, forKey: .redraw) ?? .once
        guard (0...1).contains(rate) else {
            throw DecodingError.dataCorruptedError(
                forKey: .rate, in: container, debugDescription: "is \(rate); allowed: 0 to 1")
        }
    }

    /// Of the severities 1 to 5.
    static let blurs = [0.4, 0.6, 0.7, 0.8, 1]
    static let contrasts = [0.75, 0.5, 0.4, 0.3, 0.15]
    static let deviations = [0.04, 0.06, 0.08, 0.09, 0.1]

    /// Changes one image [channels, height, width] in place.
    ///
    /// - Parameters:
    ///   - ranges: what the darkest and the brightest pixel of each channel stand for; nil where there are no bounds.
    ///   - key: of the run.
    ///   - example: its number in the training data, 0 …< 2³².
    /// - Precondition: the shape is the image's.
    package func apply(
        to image: UnsafeMutableBufferPointer<Float>, shape: [Int], ranges: [ClosedRange<Float>]?,
        key: NoiseKey, epoch: Int, example: Int
    ) {
        let size = shape[1] * shape[2]
        precondition(image.count == shape[0] * size)
        let key = key.derived("corrupt").derived(redraw == .once ? .max : UInt64(epoch))
        // Rate 1 damages every image.
        guard key.derived(UInt64(example)).uniform(0) < rate else { return }
        for channel in 0..<shape[0] {
            let plane = UnsafeMutableBufferPointer(
                rebasing: image[channel * size..<(channel + 1) * size])
            let range = ranges?[channel]
            if blur > 0 { Self.smooth(plane, shape[1], shape[2], Self.blurs[blur - 1]) }
            if contrast > 0 {
                let mean = Float(plane.reduce(0.0) { $0 + Double($1) } / Double(size))
                let factor = Float(Self.contrasts[contrast - 1])
                for place in plane.indices { plane[place] = (plane[place] - mean) * factor + mean }
            }
            if gaussian > 0 {
                let unit = range.map { Double($0.upperBound - $0.lowerBound) } ?? 1
                var span = plane.mutableSpan
                NoiseStream(key: key, step: channel, parameter: example, term: 0)
                    .add(.normal, scale: Self.deviations[gaussian - 1] * unit, to: &span)
            }
            if let range {
                for place in plane.indices {
                    plane[place] = min(max(plane[place], range.lowerBound), range.upperBound)
                }
            }
        }
    }

    /// Convolves rows and then columns with a Gaussian that is cut at 4σ and sums to 1.
    private static func smooth(
        _ plane: UnsafeMutableBufferPointer<Float>, _ height: Int, _ width: Int, _ sigma: Double
    ) {
        let radius = Int((4 * sigma).rounded(.up))
        let raw = (-radius...radius).map { exp(-Double($0 * $0) / (2 * sigma * sigma)) }
        let sum = raw.reduce(0, +)
        let weights = raw.map { Float($0 / sum) }
        withUnsafeTemporaryAllocation(of: Float.self, capacity: height * width) { old in
            func pass(_ count: Int, _ length: Int, stride: Int, lineStride: Int) {
                _ = old.update(fromContentsOf: plane)
                for line in 0..<count {
                    for place in 0..<length {
                        var value: Float = 0
                        for (tap, weight) in weights.enumerated() {
                            let from = min(max(place + tap - radius, 0), length - 1)
                            value += weight * old[line * lineStride + from * stride]
                        }
                        plane[line * lineStride + place * stride] = value
                    }
                }
            }
            pass(height, width, stride: 1, lineStride: width)
            pass(width, height, stride: width, lineStride: 1)
        }
    }
}
