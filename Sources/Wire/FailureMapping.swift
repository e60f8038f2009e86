package import Model

/// The one place where failures of the services become failures on the wire, and back.
extension WireFailure {
    package init(_ failure: Failure, detailLimit: Int = Frame.answerLimit / 2) {
        self.init()
        code = Code(failure.code)
        message = failure.message
        hint = failure.hint
        // Both ends of a long log matter: the first complaint and the last.
        let detail = failure.detail.utf8
        if detail.count > detailLimit {
            let half = detailLimit / 2
            self.detail =
                String(decoding: detail.prefix(half), as: UTF8.self)
                + "\n… \(detail.count - 2 * half) bytes left out …\n"
                + String(decoding: detail.suffix(half), as: UTF8.self)
        } else {
            self.detail = failure.detail
        }
    }

    package var asFailure: Failure {
        Failure(Failure.Code(code), message, hint: hint, detail: detail)
    }
}

extension WireFailure.Code {
    init(_ code: Failure.Code) {
        self =
            switch code {
            case .malformed: .malformed
            case .frameTooLarge: .frameTooLarge
            case .truncated: .truncated
            case .unknownOperation: .unknownOperation
            case .outOfPhase: .outOfPhase
            case .unsupportedVersion: .unsupportedVersion
            case .timedOut: .timedOut
            case .tooMany: .tooMany
            case .denied: .denied
            case .notFound: .notFound
            case .invalidArgument: .invalidArgument
            case .busy: .busy
            case .cancelled: .cancelled
            case .kernelUnsupported: .kernelUnsupported
            case .foreignScheduler: .foreignScheduler
            case .malformedObject: .malformedObject
            case .verifierRefused: .verifierRefused
            case .attachFailed: .attachFailed
            case .ejected: .ejected
            case .nothingDeployed: .nothingDeployed
            case .storage: .storage
            case .internal: .internal
            case .noVerifier: .noVerifier
            }
    }
}

extension Failure.Code {
    /// A code that this build does not know, from a newer daemon, is an internal failure with its message.
    package init(_ code: WireFailure.Code) {
        self = Failure.Code.allCases.first { WireFailure.Code($0) == code } ?? .internal
    }
}
