import Foundation

extension DataSplit {
    /// Joins an IDX file of images (count × height × width) with one of labels (count).
    ///
    /// - Parameters:
    ///   - images: bytes, or floats, which are then used as they are.
    ///   - labels: bytes, each below `classes`.
    ///   - height: the extents that the images must have; likewise `width`.
    ///   - scale: what a byte of an image means.
    /// - Throws: ``DatasetError``, naming the file, the value and what is allowed.
    public init(
        images: IDXFile, labels: IDXFile, height: Int, width: Int, classes: Int, scale: PixelScale
    ) throws {
        guard images.shape.count == 3, images.shape[1] == height, images.shape[2] == width else {
            throw DatasetError(
                .format,
                "\(images.name): shape \(images.shape); expected images of [count, \(height), \(width)]")
        }
        guard labels.shape.count == 1, labels.type == .uint8 else {
            throw DatasetError(
                .format,
                "\(labels.name): shape \(labels.shape) of type \(labels.type); expected one byte for each label"
            )
        }
        guard images.shape[0] == labels.shape[0] else {
            throw DatasetError(
                .format,
                "\(images.name) has \(images.shape[0]) images, but \(labels.name) has \(labels.shape[0]) labels"
            )
        }
        if let position = labels.bytes.firstIndex(where: { $0 >= classes }) {
            throw DatasetError(
                .value,
                "\(labels.name): label \(position - labels.bytes.startIndex) is \(labels.bytes[position]); "
                    + "allowed: 0 to \(classes - 1)")
        }
        let numbers = labels.bytes.map { Int64($0) }
        if images.type == .uint8 {
            self.init(pixels: images.bytes, scale: scale, labels: numbers, exampleSize: height * width)
        } else {
            try self.init(
                features: images.floats(), labels: numbers, exampleSize: height * width, named: images.name)
        }
    }
}
