import Exchange
import Foundation
import Synchronization

/// What a registry does, as the distribution specification says.
extension FakeRegistry {
    /// Nil: the connection is closed. The status 0: nothing is said.
    func answer(_ request: Request) -> Answer? {
        let react = state.withLock { state in
            state.requests.append(request)
            return state.react
        }
        switch react(request) {
        case .ordinary: return ordinary(request)
        case .answer(let answer): return answer
        case .changed(let change): return change(ordinary(request))
        case .close: return nil
        case .silence: return Answer(0)
        }
    }

    private func ordinary(_ request: Request) -> Answer {
        if request.path == "/token" { return token(request) }
        if let refusal = refusal(request) { return refusal }
        let parts = request.path.split(separator: "/").map(String.init)
        guard parts.first == "v2", parts.count >= 4 else { return Answer(404) }
        let repository = parts.dropFirst().dropLast(2).joined(separator: "/")
        let (kind, name) = (parts[parts.count - 2], parts[parts.count - 1])
        switch (request.method, kind, name) {
        case ("POST", "blobs", "uploads"): return begin(repository)
        case ("PUT", "uploads", _): return upload(request)
        case ("HEAD", "blobs", _), ("GET", "blobs", _): return blob(name)
        case ("PUT", "manifests", _): return take(request, name)
        case ("GET", "manifests", _): return manifest(named: name)
        case ("GET", "tags", "list"): return tags(request, repository)
        default: return Answer(405)
        }
    }

    private static func error(
        _ status: Int, _ code: String, _ message: String, headers: [(name: String, value: String)] = []
    ) -> Answer {
        Answer(
            status, headers: headers + [("content-type", "application/json")],
            body: Array(#"{"errors":[{"code":"\#(code)","message":"\#(message)"}]}"#.utf8))
    }

    static func basic(_ user: String, _ password: String) -> String {
        "Basic " + Data("\(user):\(password)".utf8).base64EncodedString()
    }

    /// What is missing to be let in.
    private func refusal(_ request: Request) -> Answer? {
        switch state.withLock({ $0.demand }) {
        case .nothing: return nil
        case .basic(let user, let password):
            if request.authorization == Self.basic(user, password) { return nil }
            return Self.error(
                401, "UNAUTHORIZED", "authentication required", headers: [("www-authenticate", #"Basic realm="here""#)])
        case .token:
            let scope =
                "repository:" + (request.path.split(separator: "/").dropFirst().dropLast(2).joined(separator: "/"))
            if request.authorization?.hasPrefix("Bearer secret-") == true { return nil }
            let challenge =
                #"Bearer realm="http://\#(name)/token",service="the registry, here",scope="\#(scope):pull""#
            return Self.error(
                401, "UNAUTHORIZED", "authentication required", headers: [("www-authenticate", challenge)])
        }
    }

    private func token(_ request: Request) -> Answer {
        guard case .token(let user, let password) = state.withLock({ $0.demand }) else { return Answer(404) }
        if let user, let password, request.authorization != Self.basic(user, password) {
            return Self.error(401, "UNAUTHORIZED", "wrong password")
        }
        return Answer(200, body: Array(#"{"token":"secret-1","expires_in":300}"#.utf8))
    }

    private func begin(_ repository: String) -> Answer {
        let number = state.withLock { state in
            state.uploads += 1
            return state.uploads
        }
        // Relative, and with a query of its own.
        return Answer(202, headers: [("location", "/v2/x/blobs/uploads/\(number)?state=a%2Fb")])
    }

    private func upload(_ request: Request) -> Answer {
        let fields = request.query.split(separator: "&")
        guard fields.contains("state=a%2Fb"), let field = fields.first(where: { $0.hasPrefix("digest=") }),
            let digest = String(field.dropFirst("digest=".count)).removingPercentEncoding
        else { return Self.error(400, "BLOB_UPLOAD_INVALID", "no digest, or the state is lost") }
        guard Digest(of: request.body).description == digest else {
            return Self.error(400, "DIGEST_INVALID", "the digest is another")
        }
        setBlob(digest, request.body)
        return Answer(201, headers: [("docker-content-digest", digest)])
    }

    private func blob(_ name: String) -> Answer {
        guard let bytes = blobs[name] else { return Self.error(404, "BLOB_UNKNOWN", "no such blob") }
        return Answer(200, headers: [("docker-content-digest", name)], body: bytes)
    }

    private func take(_ request: Request, _ name: String) -> Answer {
        let digest = Digest(of: request.body).description
        guard let manifest = try? EntryManifest(request.body) else {
            return Self.error(400, "MANIFEST_INVALID", "it is none")
        }
        if let missing = manifest.blobs.first(where: { blobs[$0.digest.description] == nil }) {
            return Self.error(400, "MANIFEST_BLOB_UNKNOWN", "\(missing.digest)")
        }
        put(tag: name, manifest: request.body)
        return Answer(201, headers: [("docker-content-digest", digest)])
    }

    private func manifest(named name: String) -> Answer {
        let found = state.withLock { state in state.manifests[name] ?? state.tags[name].flatMap { state.manifests[$0] }
        }
        guard let found else { return Self.error(404, "MANIFEST_UNKNOWN", "no such manifest") }
        let isIndex = String(decoding: found, as: UTF8.self).contains(MediaType.index)
        return Answer(
            200,
            headers: [
                ("content-type", isIndex ? MediaType.index : MediaType.manifest),
                ("docker-content-digest", Digest(of: found).description),
            ], body: found)
    }

    /// Two at once, so that the list has pages.
    private func tags(_ request: Request, _ repository: String) -> Answer {
        let all = state.withLock { $0.tags.keys.sorted() }
        let last = request.query.split(separator: "&").first { $0.hasPrefix("last=") }.map { String($0.dropFirst(5)) }
        let rest = all.filter { last == nil || $0 > last ?? "" }
        let page = rest.prefix(2)
        let list = page.map { "\"\($0)\"" }.joined(separator: ",")
        var answer = Answer(200, body: Array(#"{"name":"\#(repository)","tags":[\#(list)]}"#.utf8))
        if page.count < rest.count, let end = page.last {
            answer.headers.append(("link", #"</v2/\#(repository)/tags/list?n=2&last=\#(end)>; rel="next""#))
        }
        return answer
    }
}

extension FakeRegistry {
    package static func basicOf(user: String, password: String) -> String { basic(user, password) }

    package func forget(tags: [String]) { state.withLock { state in for tag in tags { state.tags[tag] = nil } } }
}
