import Foundation
import Synchronization

/// Ctrl-C and a polite kill, turned into a flag that the training loop looks at between steps.
///
/// The first SIGINT or SIGTERM asks the run to finish its step, save and stop; the second ends the process at
/// once, as it would without this.
public enum Interruption {
    private static let requested = Atomic<Bool>(false)

    /// Starts to listen. Safe to call again.
    public static func listen() {
        // The flag is made before the handler can run: making it inside would not be signal-safe.
        _ = requested.load(ordering: .relaxed)
        for number in [SIGINT, SIGTERM] {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { _ in
                Interruption.requested.store(true, ordering: .relaxed)
            }
            action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND)) | SA_RESTART
            sigaction(number, &action, nil)
        }
        // A process inherits the signals that its parent's thread blocked; these two must arrive.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGINT)
        sigaddset(&signals, SIGTERM)
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }

    /// Asks for a stop once standard input is closed: by the process that started this one, or by its death.
    public static func requestAtEndOfInput() {
        let thread = Thread {
            var byte: UInt8 = 0
            while true {
                let count = read(STDIN_FILENO, &byte, 1)
                if count == 0 || count < 0 && errno != EINTR { break }
            }
            request()
        }
        thread.start()
    }

    /// Whether a stop was asked for.
    public static var isRequested: Bool { requested.load(ordering: .relaxed) }

    /// Asks for a stop, or takes that back, from code.
    public static func request(_ value: Bool = true) { requested.store(value, ordering: .relaxed) }
}
