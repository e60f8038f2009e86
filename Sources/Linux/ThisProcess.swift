import CLinux
import Glibc

/// The calling process: what the C library would do with plain functions.
package enum ThisProcess {
    package enum Signal: CaseIterable, Sendable {
        case hangup, interrupt, terminate, pipe, windowChanged

        package var number: Int32 {
            switch self {
            case .hangup: SIGHUP
            case .interrupt: SIGINT
            case .terminate: SIGTERM
            case .pipe: SIGPIPE
            case .windowChanged: SIGWINCH
            }
        }
    }

    package static func ignore(_ signal: Signal) { _ = Glibc.signal(signal.number, SIG_IGN) }

    package static var isRoot: Bool { geteuid() == 0 }

    package static func privileges() -> ThreadPrivileges? { HostProbe.privileges(ofProcess: getpid()) }

    package static func exit(_ status: Int32) -> Never { Glibc.exit(status) }

    /// Writes all of it to standard error, unbuffered; what cannot be written is lost.
    package static func complain(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            // SAFETY: the slice's own memory and count.
            let written = rest.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
            if written <= 0 { return }
            rest = rest.dropFirst(written)
        }
    }

    /// Lets everyone connect to a socket that this process has bound.
    package static func openToEveryone(_ path: String) throws(SystemError) {
        _ = try retryingInterrupts("chmod \(path)") { chmod(path, 0o666) }
    }
}

extension ThisProcess {
    package enum Stream: Int32, Sendable { case input, output, error }

    /// What is printed reaches a pipe line by line.
    package static func bufferOutputByLine() { clinux_buffer_output_by_line() }

    package static func isTerminal(_ stream: Stream) -> Bool { isatty(stream.rawValue) == 1 }
}
