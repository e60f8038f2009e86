import AsyncHTTPClient
import Model
import NIOCore

/// Why there is no answer, and whether there may be one next time.
struct WebError: Error {
    let failure: Failure
    let isPassing: Bool

    init(_ failure: Failure) {
        self.failure = failure
        isPassing = false
    }

    init(_ error: any Error, _ request: WebRequest, _ patience: WebPatience) {
        let place = request.address.description
        switch error {
        case is NIOTooManyBytesError:
            failure = Failure(
                .tooMany, "the answer of \(place) is longer than the \(request.answerLimit) bytes that are read")
            isPassing = false
        case is CancellationError:
            failure = Failure(.cancelled, "interrupted")
            isPassing = false
        case let error as HTTPClientError where Self.timeouts.contains(error):
            failure = Failure(
                .timedOut, "\(place) did not answer in time", hint: "is the address right, and the server up?")
            isPassing = true
        default:
            failure = Failure(
                .notFound, "\(place) cannot be reached: \("\(error)".escapedForDisplay(limit: 300))",
                hint: "is the address right, and the server up?")
            isPassing = true
        }
    }

    private static let timeouts: [HTTPClientError] = [
        .connectTimeout, .readTimeout, .writeTimeout, .deadlineExceeded, .tlsHandshakeTimeout,
        .getConnectionFromPoolTimeout,
    ]
}
