import PerturbedEquations

/// Other views of each training image: shifted, mirrored, with a hole.
///
/// With p = `crop` pixels of zeros around it, an image is cut out again at a place drawn evenly from the
/// (2p + 1)² there are; with `flip` it is mirrored left to right with probability ½; with `cutout` a square of that
/// side, centred on a pixel drawn evenly and cut at the borders, becomes 0. In this order; 0 is the data's mean where the
/// data set is standardised. Evaluation is on the images as they are.
///
/// What is drawn is a pure function of (seed, epoch, example): neither batches nor threads change it.
///
/// ```yaml
/// training: {augment: {crop: 4, flip: true, cutout: 8}}
/// ```
///
/// Sources: He et al. 2016, Deep Residual Learning (crop and flip); DeVries and Taylor 2017, Improved Regularization of
/// Convolutional Neural Networks with Cutout.
public struct Augmentation: Codable, Sendable, Equatable {
    /// p, the pixels of zeros around an image, 0 to 1000; 0: no shift.
    public var crop: Int
    /// Whether images are mirrored, each with probability ½.
    public var flip: Bool
    /// The side of the hole in pixels, 0 to 10000; 0: none.
    public var cutout: Int

    public init(crop: Int = 0, flip: Bool = false, cutout: Int = 0) {
        self.crop = crop
        self.flip = flip
        self.cutout = cutout
    }

    private enum CodingKeys: String, CodingKey { case crop, flip, cutout }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        crop = try container.decodeIfPresent(Int.self, forKey: .crop) ?? 0
        flip = try container.decodeIfPresent(Bool.self, forKey: .flip) ?? false
        cutout = try container.decodeIfPresent(Int.self, forKey: .cutout) ?? 0
        func check(_ key: CodingKeys, _ value: Int, _ most: Int) throws {
            guard !(0...most).contains(value) else { return }
            throw DecodingError.dataCorruptedError(
                forKey: key, in: container, debugDescription: "is \(value); allowed: 0 to \(most)")
        }
        try check(.crop, crop, 1000)
        try check(.cutout, cutout, 10_000)
    }

    /// Changes one image [channels, height, width] in place.
    ///
    /// - Parameters:
    ///   - key: of the run.
    ///   - example: its number in the training data.
    /// - Precondition: the shape is the image's.
    package func apply(
        to image: UnsafeMutableBufferPointer<Float>, shape: [Int], key: NoiseKey, epoch: Int, example: Int
    ) {
        let (height, width) = (shape[1], shape[2])
        precondition(image.count == shape[0] * height * width)
        let own = key.derived("augment").derived(UInt64(epoch)).derived(UInt64(example))
        func draw(_ bound: Int, _ counter: UInt64) -> Int {
            Int(own.uniformIndex(below: UInt64(bound), counter))
        }
        let isFlipped = flip && own.word(0) & 1 == 1
        let (down, right) = crop > 0 ? (draw(2 * crop + 1, 1) - crop, draw(2 * crop + 1, 2) - crop) : (0, 0)
        if isFlipped || down != 0 || right != 0 {
            withUnsafeTemporaryAllocation(of: Float.self, capacity: height * width) { old in
                for channel in 0..<shape[0] {
                    let plane = UnsafeMutableBufferPointer(
                        rebasing: image[channel * height * width..<(channel + 1) * height * width])
                    _ = old.update(fromContentsOf: plane)
                    for row in 0..<height {
                        let from = row + down
                        let isInside = (0..<height).contains(from)
                        for column in 0..<width {
                            let place = (isFlipped ? width - 1 - column : column) + right
                            plane[row * width + column] =
                                isInside && (0..<width).contains(place) ? old[from * width + place] : 0
                        }
                    }
                }
            }
        }
        if cutout > 0 {
            let (top, left) = (draw(height, 3) - cutout / 2, draw(width, 4) - cutout / 2)
            for channel in 0..<shape[0] {
                for row in max(0, top)..<max(0, min(height, top + cutout)) {
                    for column in max(0, left)..<max(0, min(width, left + cutout)) {
                        image[(channel * height + row) * width + column] = 0
                    }
                }
            }
        }
    }
}
