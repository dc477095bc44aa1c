import Foundation

/// The valley, the flag and the car, for both kinds of action.
private func drawValley(x: Double, push: Double, on canvas: inout Canvas) {
    func height(_ x: Double) -> Double { sin(3 * x) * 0.45 + 0.55 }
    let ground = (0...120).map { i in
        let x = -1.2 + 1.8 * Double(i) / 120
        return Canvas.Point(x, height(x))
    }
    canvas.path(ground, width: 0.015, .grey)
    let flag = Canvas.Point(0.5, height(0.5))
    canvas.line(from: flag, to: .init(0.5, flag.y + 0.2), width: 0.015, .black)
    canvas.fill([.init(0.5, flag.y + 0.2), .init(0.59, flag.y + 0.165), .init(0.5, flag.y + 0.13)], .red)
    // The car stands on the slope, whose tangent is (1, 1.35·cos 3x).
    let slope = atan(1.35 * cos(3 * x))
    let foot = Canvas.Point(x, height(x) + 0.01).moved(0.03, at: slope + .pi / 2)
    canvas.line(
        from: foot.moved(-0.06, at: slope).moved(0.02, at: slope + .pi / 2),
        to: foot.moved(0.06, at: slope).moved(0.02, at: slope + .pi / 2), width: 0.05, .blue)
    for wheel in [-0.035, 0.035] { canvas.disc(foot.moved(wheel, at: slope), radius: 0.022, .black) }
    guard abs(push) > 1e-3 else { return }
    let tail = foot.moved(0.02, at: slope + .pi / 2).moved(push > 0 ? -0.06 : 0.06, at: slope)
    canvas.line(from: tail, to: tail.moved(-0.08 * push, at: slope), width: 0.02, .brown)
}

extension MountainCar: DrawnEnvironment {
    public var framesPerSecond: Int { 30 }

    public func canvas(width: Int) -> Canvas { valleyCanvas(width: width) }

    public func draw(_ state: State, action: [Float]?, on canvas: inout Canvas) {
        drawValley(x: state.x, push: action.map { Double($0[0]) - 1 } ?? 0, on: &canvas)
    }
}

extension MountainCarContinuous: DrawnEnvironment {
    public var framesPerSecond: Int { 30 }

    public func canvas(width: Int) -> Canvas { valleyCanvas(width: width) }

    public func draw(_ state: State, action: [Float]?, on canvas: inout Canvas) {
        drawValley(x: Double(state.x), push: action.map { Double($0[0]) } ?? 0, on: &canvas)
    }
}

private func valleyCanvas(width: Int) -> Canvas {
    Canvas(width: width, height: width * 2 / 3, centre: .init(-0.3, 0.62), units: 1.9)
}
