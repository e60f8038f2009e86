import CLinux
import Glibc

/// The terminal's second screen, for one program and without the lines that the shell knows. However the program ends,
/// the terminal is as it was before: also by a signal, a crash or Control-Z (until it is continued).
package struct TerminalScreen: ~Copyable {
    /// Wakes whoever waits for input, from any thread.
    package final class Bell: Sendable {
        fileprivate let event: SharedDescriptor

        fileprivate init() throws(SystemError) {
            event = SharedDescriptor(Descriptor(owning: try retryingInterrupts("eventfd") { clinux_event() }))
        }

        package func ring() {
            var one: UInt64 = 1
            // SAFETY: eight bytes, as eventfd(2) wants them.
            _ = Glibc.write(event.raw, &one, 8)
        }
    }

    /// What a wait ended with.
    package enum Input: Hashable, Sendable {
        /// Of the keyboard.
        case keys([UInt8])
        /// The bell, another size, or the time is over.
        case nothing
        /// The terminal is gone.
        case end
    }

    package let bell: Bell

    /// Needs a terminal as standard input and output. Throws where it is none, or where the screen is taken already.
    package init() throws(SystemError) {
        let bell = try Bell()
        let event = bell.event.raw
        // SAFETY: plain integers; the handlers use the event until `clinux_screen_close`, and the bell lives longer.
        _ = try retryingInterrupts("take the terminal") { clinux_screen_open(event) }
        self.bell = bell
    }

    deinit { clinux_screen_close() }

    /// Rows and columns; 24 by 80 where the terminal does not know.
    package var size: (rows: Int, columns: Int) {
        HostTerminal.size(of: 1).map { (Int($0.rows), Int($0.columns)) } ?? (24, 80)
    }

    /// Has everything on the screen been lost since this was asked last? True at first.
    package borrowing func takeLoss() -> Bool { clinux_screen_is_lost() != 0 }

    /// Writes all of it, as it is.
    package borrowing func write(_ text: String) throws(SystemError) {
        let bytes = Array(text.utf8)
        // SAFETY: the array's own memory and count, used within the call.
        let result = bytes.withUnsafeBytes { clinux_screen_write($0.baseAddress, $0.count) }
        if result != 0 { throw SystemError("write to the terminal") }
    }

    /// Waits for keys, for the bell or for a change of the terminal; at most so long.
    package borrowing func wait(milliseconds: CInt) -> Input {
        var set = [
            pollfd(fd: 0, events: Int16(POLLIN), revents: 0),
            pollfd(fd: bell.event.raw, events: Int16(POLLIN), revents: 0),
        ]
        // SAFETY: two entries.
        guard poll(&set, 2, milliseconds) > 0 else { return .nothing }
        if set[1].revents != 0 {
            var count: UInt64 = 0
            // SAFETY: eight bytes, as eventfd(2) gives them.
            _ = Glibc.read(bell.event.raw, &count, 8)
        }
        guard set[0].revents != 0 else { return .nothing }
        guard let bytes = try? HostFile.read(0, limit: 1024), !bytes.isEmpty else { return .end }
        return .keys(bytes)
    }
}
