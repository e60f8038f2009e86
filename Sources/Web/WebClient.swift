import AsyncHTTPClient
package import Model
import NIOCore
import NIOHTTP1

/// Sends requests. HTTPS with the certificates that the system trusts; HTTP only to this machine, or to the one origin that
/// the caller named.
package final class WebClient: Sendable {
    private static let maxRedirects = 5

    private let client: HTTPClient
    private let patience: WebPatience
    private let plain: WebAddress?

    private init(_ patience: WebPatience, plain: WebAddress?) {
        self.patience = patience
        self.plain = plain
        var configuration = HTTPClient.Configuration()
        // Redirects are followed here, where it is known what must not go along.
        configuration.redirectConfiguration = .disallow
        configuration.timeout = .init(connect: .seconds(Int64(patience.connectSeconds)), read: .seconds(30))
        // Bounds are of what arrives: nothing is unpacked.
        configuration.decompression = .disabled
        configuration.httpVersion = .http1Only
        configuration.connectionPool.retryConnectionEstablishment = false
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// A client for the time of `body`.
    /// - Parameter plain: an origin to which HTTP without encryption is right.
    package static func with<R>(
        _ patience: WebPatience = WebPatience(), plain: WebAddress? = nil,
        _ body: (WebClient) async throws(Failure) -> R
    ) async throws(Failure) -> R {
        let client = WebClient(patience, plain: plain)
        let result: Result<R, Failure>
        do throws(Failure) { result = .success(try await body(client)) } catch { result = .failure(error) }
        try? await client.client.shutdown()
        return try result.get()
    }

    /// Whatever status it has. Throws where no answer came that can be used.
    package func send(_ request: WebRequest) async throws(Failure) -> WebResponse {
        var pause = Int64(patience.pause)
        for attempt in 1... {
            let mayRepeat = request.isRepeatable && attempt < patience.tries
            do throws(WebError) {
                let response = try await once(request)
                guard mayRepeat, Self.passing.contains(response.status) else { return response }
                if let seconds = response.header("retry-after").flatMap({ Int64($0) }), seconds > 0 {
                    pause = min(seconds, Int64(patience.longestPause)) * 1000
                }
            } catch {
                guard mayRepeat, error.isPassing else { throw error.failure }
            }
            do { try await Task.sleep(for: .milliseconds(pause)) } catch { throw Failure(.cancelled, "interrupted") }
            pause = min(pause * 4, Int64(patience.longestPause) * 1000)
        }
        throw Failure(.internal, "no request was sent")
    }

    /// What may be over soon.
    private static let passing: Set<Int> = [429, 500, 502, 503, 504]

    private func once(_ request: WebRequest) async throws(WebError) -> WebResponse {
        let deadline = NIODeadline.now() + .seconds(Int64(patience.seconds))
        var request = request
        for _ in 0...Self.maxRedirects {
            do throws(Failure) { try check(request.address) } catch { throw WebError(error) }
            let response = try await exchange(request, deadline)
            guard [301, 302, 303, 307, 308].contains(response.status),
                request.method == .get || request.method == .head,
                let location = response.header("location")
            else { return response }
            do throws(Failure) { try follow(&request, to: location) } catch { throw WebError(error) }
        }
        throw WebError(Failure(.malformed, "\(request.address) redirects again and again"))
    }

    /// To another origin neither the authorization nor anything less safe.
    private func follow(_ request: inout WebRequest, to location: String) throws(Failure) {
        let next = try request.address.resolving(location)
        guard next.isEncrypted || !request.address.isEncrypted else {
            throw Failure(.denied, "\(request.address) redirects from https to http, which is not followed")
        }
        if !next.hasSameOrigin(as: request.address) { request.authorization = nil }
        request.address = next
    }

    private func check(_ address: WebAddress) throws(Failure) {
        guard !address.isEncrypted, !address.isLoopback else { return }
        if let plain, plain.hasSameOrigin(as: address) { return }
        throw Failure(
            .denied, "\(address) is not encrypted, and is not on this machine", hint: "use https")
    }

    private func exchange(_ request: WebRequest, _ deadline: NIODeadline) async throws(WebError) -> WebResponse {
        var message = HTTPClientRequest(url: request.address.text)
        message.method = HTTPMethod(rawValue: request.method.rawValue)
        message.headers.add(name: "user-agent", value: "schedctl")
        for header in request.headers { message.headers.add(name: header.name, value: header.value) }
        if let authorization = request.authorization {
            message.headers.add(name: "authorization", value: authorization)
        }
        if let body = request.body { message.body = .bytes(body) }
        do {
            let response = try await client.execute(message, deadline: deadline)
            var headers: [String: [String]] = [:]
            for (name, value) in response.headers { headers[name.lowercased(), default: []].append(value) }
            var bytes: [UInt8] = []
            if request.method != .head {
                let body = try await response.body.collect(upTo: request.answerLimit)
                bytes = Array(body.readableBytesView)
            }
            return WebResponse(
                status: Int(response.status.code), headers: headers, body: bytes, address: request.address)
        } catch { throw WebError(error, request, patience) }
    }
}
