import Foundation

/// What standard error can show.
public struct Terminal: Sendable {
    /// Whether a person is watching: a terminal, which can redraw a line.
    public var isInteractive: Bool
    /// Whether colours are welcome (https://no-color.org, and a terminal that has them).
    public var hasColours: Bool

    public init(isInteractive: Bool, hasColours: Bool) {
        self.isInteractive = isInteractive
        self.hasColours = hasColours
    }

    /// The terminal behind a file descriptor, as the environment describes it.
    public static func detect(_ descriptor: Int32 = STDERR_FILENO) -> Terminal {
        let environment = ProcessInfo.processInfo.environment
        let isTerminal = isatty(descriptor) == 1 && environment["TERM"] != "dumb"
        return Terminal(
            isInteractive: isTerminal, hasColours: isTerminal && (environment["NO_COLOR"] ?? "").isEmpty)
    }

    /// Columns of the terminal now (it may be resized); 80 where that is not known.
    public var width: Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
            return ProcessInfo.processInfo.environment["COLUMNS"].flatMap(Int.init) ?? 80
        }
        return Int(size.ws_col)
    }

    func styled(_ text: String, _ code: String) -> String {
        hasColours ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}

/// Writes to standard error, ignoring that nobody may be listening any more.
func writeToStandardError(_ text: String) {
    var text = text
    text.withUTF8 { bytes in
        var rest = UnsafeRawBufferPointer(bytes)
        while let start = rest.baseAddress, rest.count > 0 {
            let written = write(STDERR_FILENO, start, rest.count)
            if written < 0 {
                if errno == EINTR { continue }
                return
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[written...])
        }
    }
}
