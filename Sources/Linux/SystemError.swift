// Linux: the operating system below everything else: descriptors, capabilities, peer credentials, systemd, /proc, /sys
// and cgroups. It keeps no state of its own but the caches named in its types. With Kernel and the guest's programs
// it is the only place where unsafe pointers and C calls are allowed.

import Glibc
package import Model

/// A system call that failed: which one, on what, and errno.
package struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    package let operation: String
    package let code: Int32

    package init(_ operation: String, code: Int32 = errno) {
        self.operation = operation
        self.code = code
    }

    /// errno's text, as "No such file or directory".
    package var reason: String {
        // SAFETY: strerror_l would need a locale; strerror's buffer is static for known codes and is copied at once.
        String(cString: strerror(code))
    }

    package var description: String { "\(operation): \(reason)" }

    package func asFailure(_ code: Failure.Code, hint: String = "") -> Failure {
        Failure(code, description, hint: hint)
    }
}

/// Runs a system call again as long as a signal interrupts it.
@inline(__always)
package func retryingInterrupts<T: FixedWidthInteger>(
    _ operation: @autoclosure () -> String, _ call: () -> T
) throws(SystemError) -> T {
    while true {
        let result = call()
        if result != -1 { return result }
        if errno != EINTR { throw SystemError(operation()) }
    }
}
