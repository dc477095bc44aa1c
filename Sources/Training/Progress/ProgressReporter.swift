import Foundation

/// Shows on standard error how a run goes: a live bar on a terminal, plain lines otherwise.
public final class ProgressReporter {
    private let terminal: Terminal
    private let isQuiet: Bool
    private let clock = ContinuousClock()
    private let interval: Duration
    private var lastShown: ContinuousClock.Instant
    private var meter: SpeedMeter
    private var barIsShown = false

    /// - Parameters:
    ///   - terminal: what standard error can show.
    ///   - startingAt: the steps taken before, which do not count for the speed.
    ///   - isQuiet: shows nothing at all.
    public init(terminal: Terminal = .detect(), startingAt step: Int = 0, isQuiet: Bool = false) {
        self.terminal = terminal
        self.isQuiet = isQuiet
        // Ten redraws a second on a terminal; in a log file, a line every ten seconds.
        interval = terminal.isInteractive ? .milliseconds(100) : .seconds(10)
        lastShown = clock.now
        meter = SpeedMeter(step: step, at: clock.now)
    }

    /// Whether it is time for ``show(_:)``: a few tens of nanoseconds, so it can be asked after every step.
    public var isDue: Bool { !isQuiet && clock.now - lastShown >= interval }

    /// Draws the bar, or writes a line.
    public func show(_ snapshot: some ShownProgress) {
        let now = clock.now
        lastShown = now
        let speed = meter.stepsPerSecond(step: snapshot.step, at: now)
        let fields = snapshot.fields + Self.speedFields(snapshot, speed)
        if terminal.isInteractive {
            // Clear to the end of the line after writing, so that the line never flickers.
            writeToStandardError("\r\(bar(snapshot, fields))\u{1B}[K")
            barIsShown = true
        } else {
            writeToStandardError(
                (snapshot.head.map { "\($0) " } ?? "") + "step \(snapshot.step)/\(snapshot.totalSteps): "
                    + fields.joined(separator: ", ") + "\n")
        }
    }

    /// Writes a line that stays, above the bar if there is one.
    public func say(_ line: String) {
        guard !isQuiet else { return }
        writeToStandardError((barIsShown ? "\r\u{1B}[K" : "") + line + "\n")
        barIsShown = false
        // In a log, the line says it all for a while; a terminal's bar comes back with the next step.
        if !terminal.isInteractive { lastShown = clock.now }
    }

    /// Removes the bar, for example before an error message.
    public func finish() {
        if barIsShown { writeToStandardError("\r\u{1B}[K") }
        barIsShown = false
    }

    /// How fast a run is, and how long it still takes.
    private static func speedFields(_ snapshot: some ShownProgress, _ speed: Double) -> [String] {
        guard speed > 0 else { return [] }
        return [
            "\(speed < 10 ? short(speed) : String(Int(speed.rounded()))) steps/s",
            "\(clockText(Double(max(0, snapshot.totalSteps - snapshot.step)) / speed)) left",
        ]
    }

    private func bar(_ snapshot: some ShownProgress, _ fields: [String]) -> String {
        let head = snapshot.head.map { "\($0) " } ?? ""
        let share = min(1, Double(snapshot.step) / Double(max(1, snapshot.totalSteps)))
        let width = terminal.width - 1
        var shown = fields
        // On a narrow terminal, the least needed values go first: speed, then the rates.
        while shown.count > 1, head.count + shown.joined(separator: "  ").count + 14 > width {
            shown.remove(at: shown.count > 2 ? shown.count - 2 : shown.count - 1)
        }
        let tail = shown.joined(separator: "  ")
        let cells = min(30, max(0, width - head.count - tail.count - 7))
        let filled = Int((share * Double(cells)).rounded(.down))
        let line =
            terminal.styled(String(repeating: "━", count: filled), "32")
            + terminal.styled(String(repeating: "╌", count: cells - filled), "2")
        guard cells >= 4 else { return String((head + tail).prefix(max(0, width))) }
        let percentage = String(Int(share * 100))
        return head + line + String(repeating: " ", count: 4 - percentage.count) + percentage + "% " + tail
    }
}

/// Steps per second, averaged over the recent past.
struct SpeedMeter {
    private var lastStep: Int
    private var lastTime: ContinuousClock.Instant
    private var speed = 0.0

    init(step: Int, at time: ContinuousClock.Instant) {
        lastStep = step
        lastTime = time
    }

    /// The speed, with the steps since the last call weighed by the time that they took (two seconds count
    /// for as much as all before).
    mutating func stepsPerSecond(step: Int, at time: ContinuousClock.Instant) -> Double {
        let seconds = (time - lastTime) / .seconds(1)
        guard step > lastStep, seconds > 0 else { return speed }
        let latest = Double(step - lastStep) / seconds
        let weight = speed == 0 ? 1 : 1 - exp(-seconds / 2)
        speed += weight * (latest - speed)
        (lastStep, lastTime) = (step, time)
        return speed
    }
}

/// A number in at most seven characters: `0.0123`, `1.2e-05`, `812`.
public func short(_ value: Double) -> String {
    guard value.isFinite else { return "\(value)" }
    let magnitude = abs(value)
    if magnitude == 0 { return "0" }
    if magnitude >= 0.001, magnitude < 100_000 {
        let digits =
            magnitude >= 100 ? 0 : magnitude >= 10 ? 1 : magnitude >= 1 ? 2 : magnitude >= 0.1 ? 3 : 4
        return String(format: "%.\(digits)f", value)
    }
    return String(format: "%.1e", value)
}

/// A share as a percentage with one digit: `96.9%`.
public func percent(_ share: Double) -> String { String(format: "%.1f%%", share * 100) }

/// Seconds as `12s`, `3:05` or `1:02:03`.
public func clockText(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds < 1e9 else { return "?" }
    let total = Int(seconds.rounded())
    if total < 60 { return "\(total)s" }
    let (hours, minutes, rest) = (total / 3600, total / 60 % 60, total % 60)
    return hours > 0
        ? String(format: "%d:%02d:%02d", hours, minutes, rest) : String(format: "%d:%02d", minutes, rest)
}
