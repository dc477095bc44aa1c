import Foundation

/// The rod, upright at angle 0, and the torque as a share of a ring.
extension Pendulum: DrawnEnvironment {
    public var framesPerSecond: Int { 20 }

    public func canvas(width: Int) -> Canvas {
        Canvas(width: width, height: width, centre: .init(0, 0), units: 2.6)
    }

    public func draw(_ state: State, action: [Float]?, on canvas: inout Canvas) {
        let joint = Canvas.Point(0, 0)
        // The angle grows to the left, as the torque does.
        let tip = joint.moved(1, at: state.angle + .pi / 2)
        canvas.disc(tip, radius: 0.1, .red)
        canvas.path([joint, tip], width: 0.2, .red)
        canvas.disc(joint, radius: 0.1, .red)
        canvas.disc(joint, radius: 0.05, .black)
        guard let torque = action.map({ Double($0[0]) }), abs(torque) > 0.01 else { return }
        let arc = (0...24).map { i in
            joint.moved(0.32, at: .pi / 2 + torque / 2 * .pi * Double(i) / 24)
        }
        canvas.path(arc, width: 0.04, .blue)
    }
}
