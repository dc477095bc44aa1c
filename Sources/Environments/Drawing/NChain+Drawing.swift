/// The states in a row, those with a reward filled, and where the walker is.
extension NChain: DrawnEnvironment {
    public var framesPerSecond: Int { 8 }

    public func canvas(width: Int) -> Canvas {
        let units = Double(length) + 1
        return Canvas(
            width: width, height: max(60, width / 8), centre: .init(Double(length - 1) / 2, 0), units: units)
    }

    public func draw(_ state: State, action: [Float]?, on canvas: inout Canvas) {
        canvas.line(from: .init(0, 0), to: .init(Double(length - 1), 0), width: 0.08, .grey)
        for place in 0..<length {
            let isPaid = place == 0 || place == length - 1
            canvas.disc(.init(Double(place), 0), radius: 0.35, isPaid ? .green : .grey)
        }
        canvas.disc(.init(Double(state.place), 0), radius: 0.28, .red)
    }
}
