import Foundation

/// Both links, and the height to be reached.
extension Acrobot: DrawnEnvironment {
    public var framesPerSecond: Int { 15 }

    public func canvas(width: Int) -> Canvas {
        Canvas(width: width, height: width, centre: .init(0, 0), units: 4.6)
    }

    public func draw(_ state: State, action: [Float]?, on canvas: inout Canvas) {
        canvas.line(from: .init(-2.3, 1), to: .init(2.3, 1), width: 0.03, .grey)
        let shoulder = Canvas.Point(0, 0)
        let elbow = shoulder.moved(1, at: state.values[0] - .pi / 2)
        let tip = elbow.moved(1, at: state.values[0] + state.values[1] - .pi / 2)
        canvas.path([shoulder, elbow], width: 0.2, .blue)
        canvas.path([elbow, tip], width: 0.2, .brown)
        canvas.disc(shoulder, radius: 0.1, .black)
        // The torque is on the elbow.
        canvas.disc(elbow, radius: 0.1, action.map { $0[0] == 1 ? .black : .red } ?? .black)
    }
}
