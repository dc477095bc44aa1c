/// The cart on its track, and the pole.
extension CartPole: DrawnEnvironment {
    public var framesPerSecond: Int { 50 }

    public func canvas(width: Int) -> Canvas {
        Canvas(width: width, height: width / 2, centre: .init(0, 0.5), units: 5.2)
    }

    public func draw(_ state: State, action: [Float]?, on canvas: inout Canvas) {
        canvas.line(from: .init(-2.4, 0), to: .init(2.4, 0), width: 0.03, .grey)
        for end in [-2.4, 2.4] {
            canvas.line(from: .init(end, -0.1), to: .init(end, 0.1), width: 0.03, .grey)
        }
        canvas.rectangle(.init(state.x, 0), width: 0.5, height: 0.3, .black)
        // The pole is 1 m long; its angle is from upright, positive to the right.
        let joint = Canvas.Point(state.x, 0.1)
        canvas.line(from: joint, to: joint.moved(1, at: .pi / 2 - state.angle), width: 0.1, .brown)
        canvas.disc(joint, radius: 0.06, .blue)
        if let push = action?.first {
            let side: Double = push == 1 ? 1 : -1
            let tip = Canvas.Point(state.x - side * 0.3, 0)
            canvas.fill(
                [tip, .init(tip.x - side * 0.2, 0.08), .init(tip.x - side * 0.2, -0.08)], .red)
        }
    }
}
