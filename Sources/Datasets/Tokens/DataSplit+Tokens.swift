extension DataSplit {
    /// Sequences of tokens of equal length, each with its targets.
    ///
    /// - Parameters:
    ///   - tokens: the sequences one after the other.
    ///   - length: of one sequence, ≥ 1.
    ///   - targets: one class for each sequence, or one for each token; `TargetKind.ignored` for a token that is not
    ///     asked for.
    /// - Throws: ``DatasetError`` for a sequence without any target, which has no loss.
    /// - Precondition: the sizes agree.
    public init(tokens: [Int32], length: Int, targets: [Int64], named name: String) throws {
        precondition(length > 0 && tokens.count.isMultiple(of: length), "sizes of tokens do not agree")
        let count = tokens.count / length
        precondition(
            targets.count == count || targets.count == tokens.count,
            "sizes of tokens and targets do not agree")
        let size = targets.count == count ? 1 : length
        let asked = (0..<count).map { row in
            targets[row * size..<(row + 1) * size].count { $0 != TargetKind.ignored }
        }
        if let row = asked.firstIndex(of: 0) {
            throw DatasetError(
                .value,
                "\(name): sequence \(row) has no target; allowed: at least one token that is asked for")
        }
        self.init(
            .tokens(tokens), targets: targets, exampleSize: length, targetSize: size,
            targetCounts: asked.contains { $0 != size } ? asked : nil)
    }

    /// All windows of `length` tokens of a text, each with the tokens that follow as targets; an epoch draws as many of
    /// them at random as fit into the text side by side.
    ///
    /// - Parameters:
    ///   - part: which of the tokens.
    ///   - overlapping: windows at every place, drawn; otherwise side by side, in order, for evaluation.
    /// - Throws: ``DatasetError`` if the part is too short for one window.
    public init(
        text tokens: [Int32], part: Range<Int>, length: Int, overlapping: Bool, named name: String
    ) throws {
        let windows = TextWindows(
            tokens: tokens, range: part, length: length, stride: overlapping ? 1 : length)
        guard windows.count > 0 else {
            throw DatasetError(
                .value,
                "\(name) has \(part.count) tokens, too few for one block; allowed: at least \(length + 1) for "
                    + "blocks of \(length) and the token after")
        }
        self.init(windows)
    }

    init(_ windows: TextWindows) {
        self.init(
            .text(windows), targets: [], exampleSize: windows.length, targetSize: windows.length,
            drawnPerEpoch: windows.stride == 1 && windows.length > 1
                ? max(1, windows.range.count / windows.length) : nil)
    }

    /// Sequences of at most `length` inputs.
    init(_ sequences: TokenSequences, length: Int) {
        self.init(
            .sequences(sequences), targets: [], exampleSize: length, targetSize: length,
            targetCounts: sequences.askedCounts)
    }

    /// How many numbers, or tokens, each example of a batch has: ``exampleSize``, or for sequences of different lengths
    /// the longest one's, in eights.
    public func length(of positions: ArraySlice<Int>) -> Int {
        guard case .sequences(let sequences) = storage else { return exampleSize }
        let longest = positions.map { sequences.length(row($0)) }.max() ?? 0
        return min(exampleSize, (longest + 7) / 8 * 8)
    }

    /// Writes the tokens of the examples at `positions`, and their targets.
    ///
    /// - Parameters:
    ///   - inputs: room for `positions.count` × `length(of: positions)` tokens.
    ///   - targets: room for as many classes, or for `positions.count` where ``targetSize`` is 1.
    /// - Precondition: the examples are tokens, the positions exist and the room suffices.
    public func copyTokens(
        _ positions: ArraySlice<Int>, into inputs: UnsafeMutableBufferPointer<Int64>,
        targets: UnsafeMutableBufferPointer<Int64>
    ) {
        requireRoom(positions, inputs.count, targets.count)
        switch storage {
        case .tokens(let tokens):
            tokens.withUnsafeBufferPointer { tokens in
                forEach(of: positions, targets: targets) { place, row in
                    for offset in 0..<exampleSize {
                        inputs[place * exampleSize + offset] = Int64(tokens[row * exampleSize + offset])
                    }
                }
            }
        case .text(let windows):
            for (place, position) in positions.enumerated() {
                windows.copy(
                    self.row(position), inputs: inputs.baseAddress! + place * exampleSize,
                    targets: targets.baseAddress! + place * targetSize)
            }
        case .sequences(let sequences):
            let length = length(of: positions)
            for (place, position) in positions.enumerated() {
                sequences.copy(
                    row(position), length: length, inputs: inputs.baseAddress! + place * length,
                    targets: targets.baseAddress! + place * length)
            }
        case .bytes, .floats: preconditionFailure("the examples are numbers, not tokens")
        }
    }
}
