import CLinux
import Glibc

/// The terminal of a person who works in a virtual machine.
package enum HostTerminal {
    package static func isTerminal(_ fd: CInt) -> Bool { isatty(fd) == 1 }

    /// Rows and columns; nil where there is no terminal or it does not know.
    package static func size(of fd: CInt) -> (rows: UInt16, columns: UInt16)? {
        var rows: UInt16 = 0
        var columns: UInt16 = 0
        // SAFETY: writes two integers.
        guard clinux_get_terminal_size(fd, &rows, &columns) == 0, rows > 0, columns > 0 else { return nil }
        return (rows, columns)
    }

    /// Every key goes through as it is, until the value is gone.
    package final class RawMode: Sendable {
        private let fd: CInt
        private let before: termios

        /// Throws where `fd` is no terminal.
        package init(_ fd: CInt) throws(SystemError) {
            self.fd = fd
            var settings = termios()
            // SAFETY: tcgetattr fills the structure, cfmakeraw changes it.
            _ = try retryingInterrupts("tcgetattr") { tcgetattr(fd, &settings) }
            before = settings
            cfmakeraw(&settings)
            _ = try retryingInterrupts("tcsetattr") { tcsetattr(fd, TCSAFLUSH, &settings) }
        }

        deinit {
            // SAFETY: the structure is only read.
            var settings = before
            tcsetattr(fd, TCSAFLUSH, &settings)
        }
    }
}
