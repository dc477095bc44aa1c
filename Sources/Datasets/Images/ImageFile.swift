import CImageFiles
import Foundation

/// The pixels of a PNG or JPEG file: red, green and blue bytes, row by row.
public struct ImageFile: Sendable {
    public let width: Int
    public let height: Int
    /// `width` × `height` × 3 bytes.
    public let pixels: [UInt8]

    /// The most pixels that a file may have unless told: 67 million, 200 MB.
    public static let defaultLimit = 1 << 26

    /// Reads a file. What is transparent is put on black; shades of grey become colours with equal parts.
    ///
    /// - Parameters:
    ///   - name: what errors call it.
    ///   - limit: the most pixels; protects from hostile files.
    /// - Throws: ``DatasetError`` for another format, a damaged or truncated file, or too many pixels.
    public init(_ data: Data, named name: String, limit: Int = defaultLimit) throws {
        let read =
            if data.starts(with: [0x89, 0x50, 0x4E, 0x47]) {
                pif_read_png
            } else if data.starts(with: [0xFF, 0xD8, 0xFF]) {
                pif_read_jpeg
            } else {
                throw DatasetError(.format, "\(name) is neither a PNG nor a JPEG file")
            }
        var image = pif_image()
        var message = [CChar](repeating: 0, count: Int(PIF_MESSAGE_SIZE))
        let status = data.withUnsafeBytes { bytes in
            message.withUnsafeMutableBufferPointer {
                read(bytes.baseAddress!, bytes.count, limit, &image, $0.baseAddress!)
            }
        }
        defer { pif_release(&image) }
        guard status == 0, let pixels = image.pixels else {
            let reason = String(
                decoding: message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            throw DatasetError(.format, "\(name) cannot be read: \(reason)")
        }
        width = image.width
        height = image.height
        self.pixels = Array(UnsafeBufferPointer(start: pixels, count: width * height * 3))
    }

    init(width: Int, height: Int, pixels: [UInt8]) {
        self.width = width
        self.height = height
        self.pixels = pixels
    }

    /// The middle of the image with the proportions of `height` × `width`, as large as fits.
    public func cropped(toProportionsOf height: Int, _ width: Int) -> ImageFile {
        let newWidth = max(1, min(self.width, (self.height * width + height / 2) / height))
        let newHeight = max(1, min(self.height, (self.width * height + width / 2) / width))
        guard newWidth < self.width || newHeight < self.height else { return self }
        let (top, left) = ((self.height - newHeight) / 2, (self.width - newWidth) / 2)
        var cut: [UInt8] = []
        cut.reserveCapacity(newWidth * newHeight * 3)
        for row in top..<top + newHeight {
            let start = (row * self.width + left) * 3
            cut += pixels[start..<start + newWidth * 3]
        }
        return ImageFile(width: newWidth, height: newHeight, pixels: cut)
    }

    /// The image at another size, one channel after the other: 3, or 1 as luma (299·R + 587·G + 114·B)/1000.
    ///
    /// Each pixel is the mean of those it covers, weighted by a triangle: Pillow's `BILINEAR`, and PyTorch's
    /// `interpolate(mode="bilinear", antialias=True)`, rounded to bytes.
    public func planes(height newHeight: Int, width newWidth: Int, channels: Int) -> [UInt8] {
        precondition(channels == 1 || channels == 3)
        let (rows, columns) = (Self.taps(height, newHeight), Self.taps(width, newWidth))
        var narrow = [Float](repeating: 0, count: height * newWidth * 3)
        for y in 0..<height {
            for (x, tap) in columns.enumerated() {
                for channel in 0..<3 {
                    var value: Float = 0
                    for (offset, weight) in tap.weights.enumerated() {
                        value += weight * Float(pixels[(y * width + tap.first + offset) * 3 + channel])
                    }
                    narrow[(y * newWidth + x) * 3 + channel] = value
                }
            }
        }
        let size = newHeight * newWidth
        var planes = [UInt8](repeating: 0, count: channels * size)
        for (y, tap) in rows.enumerated() {
            for x in 0..<newWidth {
                var colour = SIMD3<Float>()
                for (offset, weight) in tap.weights.enumerated() {
                    let place = ((tap.first + offset) * newWidth + x) * 3
                    colour += weight * SIMD3(narrow[place], narrow[place + 1], narrow[place + 2])
                }
                func byte(_ value: Float) -> UInt8 { UInt8(min(max(value.rounded(), 0), 255)) }
                if channels == 3 {
                    for channel in 0..<3 { planes[channel * size + y * newWidth + x] = byte(colour[channel]) }
                } else {
                    planes[y * newWidth + x] = byte(
                        (colour * SIMD3(0.299, 0.587, 0.114)).sum())
                }
            }
        }
        return planes
    }

    /// Which old pixels each new one is made of along one side.
    private static func taps(_ old: Int, _ new: Int) -> [(first: Int, weights: [Float])] {
        let scale = Double(old) / Double(new)
        let support = max(scale, 1)
        return (0..<new).map { place in
            let centre = (Double(place) + 0.5) * scale
            let first = max(0, Int(centre - support + 0.5))
            let end = min(old, Int(centre + support + 0.5))
            let raw = (first..<end).map { max(0, 1 - abs(Double($0) + 0.5 - centre) / support) }
            let sum = raw.reduce(0, +)
            return (first, raw.map { Float($0 / sum) })
        }
    }
}
