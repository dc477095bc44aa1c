import Foundation

/// A picture that environments draw themselves on, in their own units: pixels of 8 bits red, green and blue.
///
/// Edges are hard; whoever shows the picture makes it smaller, which makes them smooth.
public struct Canvas: Sendable {
    /// A colour, each part 0 … 255.
    public struct Colour: Sendable, Hashable {
        public var red, green, blue: UInt8

        public init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
            (self.red, self.green, self.blue) = (red, green, blue)
        }

        public static let white = Colour(255, 255, 255)
        public static let black = Colour(25, 25, 30)
        public static let grey = Colour(170, 175, 185)
        public static let brown = Colour(202, 140, 90)
        public static let blue = Colour(70, 110, 190)
        public static let red = Colour(200, 65, 65)
        public static let green = Colour(90, 160, 95)
    }

    /// A place in the environment's units; y grows upwards.
    public struct Point: Sendable, Hashable {
        public var x, y: Double

        public init(_ x: Double, _ y: Double) { (self.x, self.y) = (x, y) }

        /// The place that lies `distance` from here at an angle from the x axis, in rad.
        public func moved(_ distance: Double, at angle: Double) -> Point {
            Point(x + distance * cos(angle), y + distance * sin(angle))
        }
    }

    public let width: Int
    public let height: Int
    /// Row by row from the top, three bytes a pixel.
    public private(set) var pixels: [UInt8]
    private let left, top, scale: Double

    /// An empty picture whose middle is `centre`.
    ///
    /// - Parameters:
    ///   - width, height: in pixels, at least 1.
    ///   - units: how many of the environment's units are as wide as the picture, above 0.
    public init(width: Int, height: Int, centre: Point, units: Double) {
        precondition(width >= 1 && height >= 1 && units > 0, "a picture of \(width)×\(height)")
        self.width = width
        self.height = height
        scale = Double(width) / units
        left = centre.x - units / 2
        top = centre.y + Double(height) / scale / 2
        pixels = [UInt8](repeating: 255, count: 3 * width * height)
    }

    /// Fills a convex or concave shape (even-odd), its last corner joined to the first.
    public mutating func fill(_ corners: [Point], _ colour: Colour) {
        guard corners.count >= 3 else { return }
        let places = corners.map { (x: ($0.x - left) * scale, y: (top - $0.y) * scale) }
        let ys = places.map(\.y)
        for row in max(0, Int(ys.min()!))...max(0, min(height - 1, Int(ys.max()!))) where row < height {
            let y = Double(row) + 0.5
            var crossings: [Double] = []
            for (i, a) in places.enumerated() {
                let b = places[(i + 1) % places.count]
                guard (a.y <= y) != (b.y <= y) else { continue }
                crossings.append(a.x + (y - a.y) / (b.y - a.y) * (b.x - a.x))
            }
            crossings.sort()
            for pair in stride(from: 0, to: crossings.count - 1, by: 2) {
                // A pixel is filled where its middle is inside.
                let first = max(0, Int((crossings[pair] - 0.5).rounded(.up)))
                let last = min(width - 1, Int((crossings[pair + 1] - 0.5).rounded(.down)))
                guard first <= last else { continue }
                for column in first...last { set(column, row, colour) }
            }
        }
    }

    /// A line with flat ends.
    public mutating func line(from a: Point, to b: Point, width: Double, _ colour: Colour) {
        let angle = atan2(b.y - a.y, b.x - a.x) + .pi / 2
        fill(
            [
                a.moved(width / 2, at: angle), b.moved(width / 2, at: angle), b.moved(-width / 2, at: angle),
                a.moved(-width / 2, at: angle),
            ], colour)
    }

    /// A disc.
    public mutating func disc(_ centre: Point, radius: Double, _ colour: Colour) {
        fill((0..<32).map { centre.moved(radius, at: Double($0) / 16 * .pi) }, colour)
    }

    /// A rectangle by its middle.
    public mutating func rectangle(_ centre: Point, width: Double, height: Double, _ colour: Colour) {
        let (x, y) = (width / 2, height / 2)
        fill(
            [
                Point(centre.x - x, centre.y - y), Point(centre.x + x, centre.y - y),
                Point(centre.x + x, centre.y + y), Point(centre.x - x, centre.y + y),
            ], colour)
    }

    /// A line through points.
    public mutating func path(_ points: [Point], width: Double, _ colour: Colour) {
        for (a, b) in zip(points, points.dropFirst()) {
            line(from: a, to: b, width: width, colour)
            disc(b, radius: width / 2, colour)
        }
    }

    private mutating func set(_ x: Int, _ y: Int, _ colour: Colour) {
        let place = 3 * (y * width + x)
        pixels[place] = colour.red
        pixels[place + 1] = colour.green
        pixels[place + 2] = colour.blue
    }
}
