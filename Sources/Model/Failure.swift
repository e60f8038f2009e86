// Model: the values and state machines that every other target speaks in. It imports nothing, touches nothing and
// locks nothing, so that each rule in it can be tested without a kernel, a socket or a disk.

/// Why an operation did not happen: a closed code for programs, a sentence and advice for people.
///
/// Every error that crosses the border of a service is one of these; the wire maps `code` one to one.
package struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, CaseIterable, Sendable {
        case malformed, frameTooLarge, truncated, unknownOperation, outOfPhase, unsupportedVersion
        case timedOut, tooMany, denied, notFound, invalidArgument, busy, cancelled
        case kernelUnsupported, foreignScheduler, malformedObject, verifierRefused, attachFailed, ejected
        case nothingDeployed, storage, `internal`
        /// Nobody verifies for this machine, or nobody who does answers.
        case noVerifier
    }

    package var code: Code
    /// What happened and why, one sentence.
    package var message: String
    /// What to do next; may be empty.
    package var hint: String
    /// The whole log behind the message (verifier log, debug dump, what is missing); may be empty.
    package var detail: String

    package init(_ code: Code, _ message: String, hint: String = "", detail: String = "") {
        self.code = code
        self.message = message
        self.hint = hint
        self.detail = detail
    }

    package var description: String {
        hint.isEmpty ? message : "\(message) (\(hint))"
    }
}
