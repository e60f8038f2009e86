package struct WebRequest: Sendable {
    package enum Method: String, Sendable { case get = "GET", head = "HEAD", post = "POST", put = "PUT" }

    package struct Header: Hashable, Sendable {
        package let name: String
        package let value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package var method: Method
    package var address: WebAddress
    package var headers: [Header]
    /// Whom we are to the server: goes along to this address' origin, and to no other.
    package var authorization: String?
    package var body: [UInt8]?
    /// Bytes of the answer that are read at most.
    package var answerLimit: Int
    /// May be sent again when its answer got lost.
    package var isRepeatable: Bool

    package init(
        _ method: Method, _ address: WebAddress, headers: [Header] = [], authorization: String? = nil,
        body: [UInt8]? = nil, answerLimit: Int = 64 << 10, isRepeatable: Bool? = nil
    ) {
        self.method = method
        self.address = address
        self.headers = headers
        self.authorization = authorization
        self.body = body
        self.answerLimit = answerLimit
        self.isRepeatable = isRepeatable ?? (method == .get || method == .head)
    }
}

package struct WebResponse: Sendable {
    package let status: Int
    /// Names in lower case.
    package let headers: [String: [String]]
    package let body: [UInt8]
    /// Where it came from in the end.
    package let address: WebAddress

    package func header(_ name: String) -> String? { headers[name]?.first }
    package var isSuccess: Bool { (200...299).contains(status) }
}

/// How patient a client is.
package struct WebPatience: Sendable {
    /// Of one request with its redirects.
    package var seconds: Int
    package var connectSeconds: Int
    /// How often a request is sent at most.
    package var tries: Int
    /// Milliseconds before the second try; four times as many before each one after that.
    package var pause: Int
    /// The longest that a server may have us wait for the next try, in seconds.
    package var longestPause: Int

    package init(
        seconds: Int = 120, connectSeconds: Int = 10, tries: Int = 3, pause: Int = 250, longestPause: Int = 20
    ) {
        self.seconds = seconds
        self.connectSeconds = connectSeconds
        self.tries = tries
        self.pause = pause
        self.longestPause = longestPause
    }
}
