// Verifier: takes a candidate through the stages compile, static, kernel and dynamic, keeps what each one left as
// evidence, and answers the same question from it the next time. It runs inside schedcp-verify and schedctl, as their
// user and without privilege; it writes to its evidence folder and the cache only, and starts clang and QEMU.

package import Model

/// The pipeline. A value without state of its own: several runs at a time are fine.
package struct Verifier: Sendable {
    /// Named in evidence and attestations. A different version does not answer from the evidence of another.
    package static let version = "0.1.0"

    package let configuration: VerifierConfiguration

    package init(configuration: VerifierConfiguration = VerifierConfiguration()) {
        self.configuration = configuration
    }

    /// Takes one candidate through the stages up to the last one asked for. A candidate that is refused, and a stage that
    /// could not be done, are reports. Events come in order, from one task at a time.
    ///
    /// Throws `.invalidArgument` for a request that makes no sense, `.cancelled` when its task is cancelled, and
    /// `.storage` where not even a private folder can be made.
    package func run(
        _ request: VerificationRequest, events: @escaping @Sendable (VerificationEvent) -> Void = { _ in }
    ) async throws(Failure) -> VerificationReport {
        throw Failure(.internal, "not built yet")
    }
}
