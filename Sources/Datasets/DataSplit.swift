import Foundation
import PerturbedEquations

/// One part of a data set: examples of equal shape, each with its targets.
///
/// Examples are stored as bytes with a scale, as floats, or as tokens; a part chosen from another one shares its
/// storage.
public struct DataSplit: Sendable {
    enum Storage: Sendable {
        /// Bytes; the numbers that the 256 bytes stand for, in all channels or in each; and the darkest and brightest.
        case bytes(Data, tables: [Float], ranges: [ClosedRange<Float>])
        case floats([Float])
        case tokens([Int32])
        /// Windows of a text, which are inputs and targets at once.
        case text(TextWindows)
        /// Sequences of different lengths, inputs and targets at once too.
        case sequences(TokenSequences)
    }

    /// Either by their position in the storage.
    private enum StoredTargets: Sendable {
        case classes([Int64])
        case numbers([Float])
    }

    /// How many numbers, or tokens, one example has; of sequences of different lengths the most.
    public let exampleSize: Int
    /// How many targets one example has: 1, or as many as tokens.
    public let targetSize: Int
    /// The examples of this part by their position in the storage; `nil` stands for all, in order.
    private let rows: [Int]?
    let storage: Storage
    private let stored: StoredTargets
    /// How many targets of each stored example are asked for; `nil` stands for all.
    private let targetCounts: [Int]?
    private let drawnPerEpoch: Int?

    /// Examples whose pixels are bytes.
    ///
    /// - Parameters:
    ///   - pixels: the examples one after the other, `labels.count` × `exampleSize` bytes.
    ///   - scale: what a byte means.
    ///   - labels: the class of each example.
    /// - Precondition: the sizes agree.
    public init(pixels: Data, scale: PixelScale, labels: [Int64], exampleSize: Int) {
        self.init(pixels: pixels, scales: [scale], labels: labels, exampleSize: exampleSize)
    }

    /// Images whose pixels are bytes, one channel after the other.
    ///
    /// - Parameter scales: what a byte means in each channel; one scale holds for all.
    /// - Precondition: the sizes agree, and the channels divide an example.
    public init(pixels: Data, scales: [PixelScale], labels: [Int64], exampleSize: Int) {
        precondition(pixels.count == labels.count * exampleSize, "sizes of pixels and labels do not agree")
        precondition(
            !scales.isEmpty && exampleSize.isMultiple(of: scales.count),
            "\(scales.count) scales do not divide an example of \(exampleSize) numbers")
        self.init(
            .bytes(pixels, tables: scales.flatMap(\.table), ranges: scales.map(\.range)), targets: labels,
            exampleSize: exampleSize)
    }

    /// Examples whose features are floats.
    ///
    /// - Throws: ``DatasetError`` if a feature is not a finite number, naming the example and the value.
    /// - Precondition: `features.count == labels.count * exampleSize`.
    public init(features: [Float], labels: [Int64], exampleSize: Int, named name: String) throws {
        precondition(
            features.count == labels.count * exampleSize, "sizes of features and labels do not agree")
        if let position = features.firstIndex(where: { !$0.isFinite }) {
            throw DatasetError(
                .value,
                "\(name): example \(position / exampleSize), feature \(position % exampleSize) is "
                    + "\(features[position]); allowed: finite numbers")
        }
        self.init(.floats(features), targets: labels, exampleSize: exampleSize)
    }

    /// Examples whose features are floats, each with a number to predict.
    ///
    /// - Throws: ``DatasetError`` if a feature is not a finite number, naming the example and the value.
    /// - Precondition: `features.count == numbers.count * exampleSize`, and the numbers are finite.
    public init(features: [Float], numbers: [Float], exampleSize: Int, named name: String) throws {
        precondition(numbers.allSatisfy(\.isFinite), "a number to predict is not finite")
        let features = try DataSplit(
            features: features, labels: [Int64](repeating: 0, count: numbers.count), exampleSize: exampleSize,
            named: name)
        self.init(features.storage, .numbers(numbers), exampleSize: exampleSize)
    }

    init(
        _ storage: Storage, targets: [Int64], exampleSize: Int, targetSize: Int = 1,
        targetCounts: [Int]? = nil, drawnPerEpoch: Int? = nil, rows: [Int]? = nil
    ) {
        self.init(
            storage, .classes(targets), exampleSize: exampleSize, targetSize: targetSize,
            targetCounts: targetCounts, drawnPerEpoch: drawnPerEpoch, rows: rows)
    }

    private init(
        _ storage: Storage, _ targets: StoredTargets, exampleSize: Int, targetSize: Int = 1,
        targetCounts: [Int]? = nil,
        drawnPerEpoch: Int? = nil, rows: [Int]? = nil
    ) {
        self.storage = storage
        stored = targets
        self.exampleSize = exampleSize
        self.targetSize = targetSize
        self.targetCounts = targetCounts
        self.drawnPerEpoch = drawnPerEpoch
        self.rows = rows
    }

    /// The number of examples.
    public var count: Int {
        if let rows { return rows.count }
        switch (storage, stored) {
        case (.text(let windows), _): return windows.count
        case (.sequences(let sequences), _): return sequences.count
        case (_, .classes(let classes)): return classes.count / targetSize
        case (_, .numbers(let numbers)): return numbers.count
        }
    }

    /// The examples of one epoch: all, or for windows of a text a random sample.
    public var examplesPerEpoch: Int { drawnPerEpoch ?? count }

    /// The order of one epoch of training, a pure function of the key and the epoch.
    public func order(key: NoiseKey, epoch: Int) -> EpochOrder {
        drawnPerEpoch.map { EpochOrder(key: key, epoch: epoch, drawing: $0, of: count) }
            ?? EpochOrder(key: key, epoch: epoch, count: count)
    }

    /// The class of each example, in order; none for windows of a text.
    ///
    /// - Precondition: an example has one target, a class.
    public var labels: [Int64] {
        precondition(targetSize == 1, "an example has \(targetSize) targets, not one label")
        let classes = storedClasses
        return rows.map { $0.map { classes[$0] } } ?? classes
    }

    /// The number to predict of each example, in order, standardised.
    ///
    /// - Precondition: the targets are numbers.
    public var numbers: [Float] {
        let numbers = storedNumbers
        return rows.map { $0.map { numbers[$0] } } ?? numbers
    }

    private var storedClasses: [Int64] {
        guard case .classes(let classes) = stored else {
            preconditionFailure("the targets are numbers, not classes")
        }
        return classes
    }

    private var storedNumbers: [Float] {
        guard case .numbers(let numbers) = stored else {
            preconditionFailure("the targets are classes, not numbers")
        }
        return numbers
    }

    /// How many targets of the examples at `positions` are asked for.
    public func targetCount(of positions: ArraySlice<Int>) -> Int {
        guard let targetCounts else { return positions.count * targetSize }
        return positions.reduce(0) { $0 + targetCounts[row($1)] }
    }

    /// The part made of the given examples of this one, in the given order.
    ///
    /// - Precondition: every position is in `0..<count`.
    public func selecting(_ positions: [Int]) -> DataSplit {
        precondition(positions.allSatisfy { $0 >= 0 && $0 < count }, "an example is outside 0..<\(count)")
        return DataSplit(
            storage, stored, exampleSize: exampleSize, targetSize: targetSize,
            targetCounts: targetCounts, rows: rows.map { rows in positions.map { rows[$0] } } ?? positions)
    }

    /// The part without `count` examples, and those: the last ones of `order`, or the end of a text, so that no window
    /// of one part overlaps the other part's.
    ///
    /// - Precondition: `0 < count < self.count`.
    func setting(aside count: Int, order: () -> [Int]) throws -> (rest: DataSplit, aside: DataSplit) {
        if case .text(let windows) = storage, rows == nil {
            let (rest, end) = windows.cuttingOff(last: count)
            guard rest.count > 0 else {
                throw DatasetError(
                    .request,
                    "setting the last \(end.range.count) tokens aside leaves \(rest.range.count) to train on; "
                        + "allowed: at least \(exampleSize + 1)")
            }
            return (DataSplit(rest), DataSplit(end))
        }
        let order = order()
        return (selecting(order.dropLast(count).sorted()), selecting(order.suffix(count).sorted()))
    }

    /// Writes the examples at `positions`, as numbers and one after the other, and their classes.
    ///
    /// Nothing is allocated: a trainer fills its input tensor with this directly.
    ///
    /// - Parameters:
    ///   - positions: which examples, each in `0..<count`; a slice of ``EpochOrder/indices`` for example.
    ///   - features: room for `positions.count` × ``exampleSize`` numbers.
    ///   - labels: room for `positions.count` classes.
    /// - Precondition: the examples are numbers with one target, the positions exist and the room suffices.
    public func copyBatch(
        _ positions: ArraySlice<Int>, into features: UnsafeMutableBufferPointer<Float>,
        labels: UnsafeMutableBufferPointer<Int64>
    ) {
        requireRoom(positions, features.count, labels.count)
        copyInputs(positions, into: features)
        let classes = storedClasses
        for (place, position) in positions.enumerated() { labels[place] = classes[row(position)] }
    }

    /// Writes the examples at `positions`, as numbers and one after the other, and the numbers to predict.
    ///
    /// - Precondition: the targets are numbers, the positions exist and the room suffices.
    public func copyBatch(
        _ positions: ArraySlice<Int>, into features: UnsafeMutableBufferPointer<Float>,
        numbers: UnsafeMutableBufferPointer<Float>
    ) {
        requireRoom(positions, features.count, numbers.count)
        copyInputs(positions, into: features)
        let own = storedNumbers
        for (place, position) in positions.enumerated() { numbers[place] = own[row(position)] }
    }

    private func copyInputs(
        _ positions: ArraySlice<Int>, into features: UnsafeMutableBufferPointer<Float>
    ) {
        switch storage {
        case .bytes(let pixels, let tables, let ranges):
            let plane = exampleSize / ranges.count
            pixels.withUnsafeBytes { pixels in
                tables.withUnsafeBufferPointer { tables in
                    for (target, position) in positions.enumerated() {
                        let row = row(position)
                        for channel in 0..<ranges.count {
                            let table = tables.baseAddress! + channel * 256
                            let source = pixels.baseAddress! + row * exampleSize + channel * plane
                            let out = features.baseAddress! + target * exampleSize + channel * plane
                            // Eight bytes at once: each by itself is as dear to read as its number.
                            let whole = plane & ~7
                            for offset in stride(from: 0, to: whole, by: 8) {
                                var bytes = UInt64(
                                    littleEndian: source.loadUnaligned(
                                        fromByteOffset: offset, as: UInt64.self))
                                for place in offset..<offset + 8 {
                                    out[place] = table[Int(bytes & 255)]
                                    bytes >>= 8
                                }
                            }
                            for offset in whole..<plane {
                                out[offset] = table[Int(source.load(fromByteOffset: offset, as: UInt8.self))]
                            }
                        }
                    }
                }
            }
        case .floats(let values):
            values.withUnsafeBufferPointer { values in
                for (target, position) in positions.enumerated() {
                    (features.baseAddress! + target * exampleSize)
                        .update(from: values.baseAddress! + row(position) * exampleSize, count: exampleSize)
                }
            }
        case .tokens, .text, .sequences: preconditionFailure("the examples are tokens, not numbers")
        }
    }

    /// The same examples, whose pixels are standardised as those of another part are: the darkest and the brightest pixel stand for
    /// what they do there, in each channel.
    ///
    /// - Returns: nil where one of the parts is not of pixels that are stored as bytes.
    /// - Precondition: examples of both have one shape.
    public func scaled(as other: DataSplit) -> DataSplit? {
        guard case .bytes(let pixels, let tables, let ranges) = storage,
            case .bytes(_, _, let wanted) = other.storage
        else { return nil }
        precondition(
            exampleSize == other.exampleSize, "examples of \(exampleSize) and \(other.exampleSize) numbers")
        guard ranges != wanted else { return self }
        let channels = max(ranges.count, wanted.count)
        let scaled = (0..<channels).flatMap { channel -> [Float] in
            let own = ranges.count == 1 ? 0 : channel
            let (from, to) = (ranges[own], wanted[wanted.count == 1 ? 0 : channel])
            return tables[(own * 256)..<((own + 1) * 256)].map { value in
                let share = (value - from.lowerBound) / (from.upperBound - from.lowerBound)
                return to.lowerBound + share * (to.upperBound - to.lowerBound)
            }
        }
        let all = (0..<channels).map { wanted[wanted.count == 1 ? 0 : $0] }
        return DataSplit(
            .bytes(pixels, tables: scaled, ranges: all), stored, exampleSize: exampleSize,
            targetSize: targetSize,
            targetCounts: targetCounts, drawnPerEpoch: drawnPerEpoch, rows: rows)
    }

    /// What the darkest and the brightest pixel stand for in each of `channels` channels; nil for floats and tokens,
    /// which have no such bounds.
    public func pixelRanges(channels: Int) -> [ClosedRange<Float>]? {
        guard case .bytes(_, _, let ranges) = storage else { return nil }
        return (0..<channels).map { ranges[ranges.count == channels ? $0 : 0] }
    }

    func requireRoom(_ positions: ArraySlice<Int>, _ inputs: Int, _ targets: Int) {
        let length = length(of: positions)
        precondition(
            inputs >= positions.count * length
                && targets >= positions.count * (targetSize == exampleSize ? length : targetSize),
            "a batch of \(positions.count) examples does not fit the buffers given")
    }

    /// Where the storage has the example at a position.
    @inline(__always)
    func row(_ position: Int) -> Int {
        precondition(position >= 0 && position < count, "example \(position) is outside 0..<\(count)")
        return rows.map { $0[position] } ?? position
    }

    /// Calls `copy` with each place in the batch and the stored row that goes there; fills in the targets.
    @inline(__always)
    func forEach(
        of positions: ArraySlice<Int>, targets: UnsafeMutableBufferPointer<Int64>,
        copy: (_ target: Int, _ row: Int) -> Void
    ) {
        let classes = storedClasses
        for (place, position) in positions.enumerated() {
            let row = row(position)
            for offset in 0..<targetSize {
                targets[place * targetSize + offset] = classes[row * targetSize + offset]
            }
            copy(place, row)
        }
    }
}
