/// ‖θ‖ of every filter: of each row of a tensor along its first axis, of the whole of one with less than two axes.
struct FilterNorms {
    /// Elements per row of each parameter.
    private let lengths: [Int]
    /// Per parameter and row.
    private(set) var norms: [[Double]]

    /// Gathers the norms of the pass's θ. Memory: one number per row.
    init(_ pass: ObjectivePass) {
        let lengths = pass.parameters.map { spec in
            spec.shape.count > 1 ? spec.shape.dropFirst().reduce(1, *) : spec.count
        }
        self.lengths = lengths
        norms = zip(pass.parameters, lengths).map { spec, length in
            [Double](repeating: 0, count: length == 0 ? 0 : spec.count / length)
        }
        // A row may be cut by blocks. Each block sums the rows that lie in it; what it has of its first and its last
        // row goes to slots of its own, and these are added up in the blocks' order.
        let squares = Squares(lengths: lengths, rows: norms.map(\.count), blocks: pass.blockCount)
        pass.run(squares)
        for parameter in norms.indices {
            for row in norms[parameter].indices { norms[parameter][row] = squares.inner[parameter][row] }
        }
        for (parameter, start, count, slots) in squares.edges(of: pass) where count > 0 {
            let length = lengths[parameter]
            norms[parameter][start / length] += slots.0
            norms[parameter][(start + count - 1) / length] += slots.1
        }
        for parameter in norms.indices {
            for row in norms[parameter].indices { norms[parameter][row].formSquareRoot() }
        }
    }

    /// Calls `body` with each row that a block touches, and its elements within the block.
    func forEachRow(
        of parameter: Int, start: Int, count: Int, _ body: (_ row: Int, _ range: Range<Int>) -> Void
    ) {
        Self.forEachRow(length: lengths[parameter], start: start, count: count, body)
    }

    fileprivate static func forEachRow(
        length: Int, start: Int, count: Int, _ body: (_ row: Int, _ range: Range<Int>) -> Void
    ) {
        var position = 0
        while position < count {
            let row = (start + position) / length
            let end = min(count, (row + 1) * length - start)
            body(row, position..<end)
            position = end
        }
    }

    /// The blocks' part of the squares.
    private final class Squares: BlockWork {
        let lengths: [Int]
        let inner: [UnsafeMutableBufferPointer<Double>]
        private let slots: UnsafeMutableBufferPointer<(Double, Double)>

        init(lengths: [Int], rows: [Int], blocks: Int) {
            self.lengths = lengths
            inner = rows.map {
                let memory = UnsafeMutableBufferPointer<Double>.allocate(capacity: $0)
                memory.initialize(repeating: 0)
                return memory
            }
            slots = .allocate(capacity: blocks)
            slots.initialize(repeating: (0, 0))
        }

        deinit {
            for memory in inner { memory.deallocate() }
            slots.deallocate()
        }

        func run<S: EquationScalar>(_ block: ObjectiveBlock<S>) -> SIMD4<Double> {
            let length = lengths[block.parameter]
            let first = block.start / length
            let last = (block.start + block.count - 1) / length
            FilterNorms.forEachRow(length: length, start: block.start, count: block.count) { row, range in
                let values = UnsafeBufferPointer(rebasing: block.original[range])
                let square = block.dot(values, values)
                if row == first {
                    slots[block.number].0 = square
                } else if row == last {
                    slots[block.number].1 = square
                } else {
                    inner[block.parameter][row] = square
                }
            }
            return .zero
        }

        func edges(of pass: ObjectivePass) -> [(Int, Int, Int, (Double, Double))] {
            pass.optimizer.blocks.map { ($0.parameter, $0.start, $0.count, slots[$0.index]) }
        }
    }
}
