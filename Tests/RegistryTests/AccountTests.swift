import Exchange
import Foundation
import Model
import RegistrySupport
import TestSupport
import Testing
import Web

@testable import Registry

/// Who we are to a registry, and to whom else nobody tells it.
@Suite(.timeLimit(.minutes(10))) struct AccountTests {
    private static let account = RegistryClient.Accounts(
        credentials: RegistryCredentials(user: "ann", password: "s3:cr et"))
    private static let wrong = RegistryClient.Accounts(credentials: RegistryCredentials(user: "ann", password: "no"))

    static let demands: [(String, FakeRegistry.Demand)] = [
        ("basic", .basic(user: "ann", password: "s3:cr et")), ("token", .token(user: "ann", password: "s3:cr et")),
    ]

    @Test(arguments: demands) func anAccountIsAskedForAndGiven(_ name: String, _ demand: FakeRegistry.Demand)
        async throws
    {
        let artifact = try PushPullTests.sample()
        try await FakeRegistry.with(demand) { registry in
            let stranger = await PushPullTests.failure { () throws(Failure) in
                try await PushPullTests.push(artifact, to: registry)
            }
            #expect(stranger?.code == .denied)
            #expect(stranger?.hint.contains("--username") == true)
            let wrong = await PushPullTests.failure { () throws(Failure) in
                try await PushPullTests.push(artifact, to: registry, Self.wrong)
            }
            #expect(wrong?.code == .denied)
            #expect(wrong?.hint.contains("refused") == true)
            #expect("\(String(describing: wrong))".contains("no\"") == false)
            // Before anything was demanded nothing was shown.
            #expect(registry.requests.first?.authorization == nil)
            registry.forgetRequests()
            _ = try await PushPullTests.push(artifact, to: registry, Self.account)
            #expect(try await PushPullTests.pull(registry, "team/fifo:1.0.0", Self.account).entry == artifact.entry)
            guard name == "token" else { return }
            // The password went to the token's place only, which was told what for.
            let token = FakeRegistry.basicOf(user: "ann", password: "s3:cr et")
            #expect(registry.requests.filter { $0.authorization == token }.allSatisfy { $0.path == "/token" })
            let query = registry.requests.first { $0.path == "/token" }?.query ?? ""
            #expect(query.contains("service=the%20registry%2C%20here"))
            #expect(query.contains("scope=repository%3Ateam%2Ffifo%3Apull%2Cpush"))
        }
    }

    @Test func aTokenForAnybodyNeedsNoAccount() async throws {
        let artifact = try PushPullTests.sample()
        try await FakeRegistry.with(.token(user: nil, password: nil)) { registry in
            _ = try await PushPullTests.push(artifact, to: registry)
            #expect(try await PushPullTests.pull(registry).entry == artifact.entry)
            // One token serves for all of a push.
            #expect(registry.requests.filter { $0.path == "/token" }.count == 2)
        }
    }

    @Test func aRedirectedBlobIsFetchedWithoutTheAuthorization() async throws {
        let artifact = try PushPullTests.sample()
        try await FakeRegistry.with(.basic(user: "ann", password: "s3:cr et")) { registry in
            try await FakeRegistry.with { store in
                _ = try await PushPullTests.push(artifact, to: registry, Self.account)
                for (digest, bytes) in registry.blobs { store.setBlob(digest, bytes) }
                registry.react { request in
                    guard request.method == "GET", request.path.contains("/blobs/") else { return .ordinary }
                    let place = "http://\(store.name)\(request.path)?signature=abc"
                    return .answer(.init(307, headers: [("location", place)]))
                }
                #expect(try await PushPullTests.pull(registry, "team/fifo:1.0.0", Self.account).entry == artifact.entry)
                #expect(!store.requests.isEmpty)
                #expect(store.requests.allSatisfy { $0.authorization == nil && $0.query == "signature=abc" })
                // A place that demands an account gets none either.
                store.forgetRequests()
                store.react { _ in .answer(.init(401, headers: [("www-authenticate", #"Basic realm="x""#)])) }
                let failure = await PushPullTests.failure { () throws(Failure) in
                    try await PushPullTests.pull(registry, "team/fifo:1.0.0", Self.account)
                }
                #expect(failure?.code == .denied)
                #expect(store.requests.count == 1 && store.requests.first?.authorization == nil)
            }
        }
    }

    @Test func anUploadElsewhereGoesWithoutTheAuthorization() async throws {
        let artifact = try PushPullTests.sample()
        try await FakeRegistry.with(.basic(user: "ann", password: "s3:cr et")) { registry in
            try await FakeRegistry.with { store in
                registry.react { request in
                    request.method == "POST"
                        ? .changed { answer in
                            var answer = answer
                            let path = answer.headers.first { $0.name == "location" }?.value ?? ""
                            answer.headers = [("location", "http://\(store.name)\(path)")]
                            return answer
                        } : .ordinary
                }
                // The registry never sees the blobs, and refuses the manifest.
                let failure = await PushPullTests.failure { () throws(Failure) in
                    try await PushPullTests.push(artifact, to: registry, Self.account)
                }
                #expect(failure?.message.contains("MANIFEST_BLOB_UNKNOWN") == true)
                #expect(store.blobs.count == artifact.blobs.count)
                #expect(store.requests.allSatisfy { $0.authorization == nil })
            }
        }
    }

    @Test func redirectsAreFollowedAFewTimesOnly() async throws {
        try await FakeRegistry.with { registry in
            registry.react { request in .answer(.init(302, headers: [("location", request.path)])) }
            let failure = await PushPullTests.failure { () throws(Failure) in try await PushPullTests.pull(registry) }
            #expect(failure?.message.contains("again and again") == true)
            registry.forgetRequests()
            for place in [
                "http://192.0.2.1/x", "ftp://127.0.0.1/x", "http://u:p@127.0.0.1/", "file:///etc/passwd", "http://[",
                "",
            ] {
                registry.react { _ in .answer(.init(302, headers: [("location", place)])) }
                let failure = await PushPullTests.failure { () throws(Failure) in try await PushPullTests.pull(registry)
                }
                #expect(failure != nil, "\(place)")
            }
        }
    }

    static let bearers: [String] = [
        #"Bearer"#, #"Bearer service="x""#, #"Bearer realm="http://192.0.2.1/token""#, #"Bearer realm="x""#,
        #"Bearer realm="ftp://127.0.0.1/""#, #"Bearer realm=""#,
    ]

    @Test(arguments: bearers) func aBadChallengeIsAFailure(_ challenge: String) async throws {
        try await FakeRegistry.with { registry in
            registry.react { _ in .answer(.init(401, headers: [("www-authenticate", challenge)])) }
            let failure = await PushPullTests.failure { () throws(Failure) in
                try await PushPullTests.pull(registry, "team/fifo:1.0.0", Self.account)
            }
            #expect(failure != nil)
            #expect(registry.requests.allSatisfy { $0.authorization == nil })
        }
    }

    @Test(arguments: ["", "{}", #"{"token":""}"#, #"{"token":"a\r\nx: y"}"#, #"{"token":5}"#])
    func aBadTokenIsAFailure(_ body: String) async throws {
        try await FakeRegistry.with(.token(user: nil, password: nil)) { registry in
            registry.react { $0.path == "/token" ? .answer(.init(200, body: Array(body.utf8))) : .ordinary }
            let failure = await PushPullTests.failure { () throws(Failure) in try await PushPullTests.pull(registry) }
            #expect(failure?.message.contains("without a token") == true)
        }
    }

    @Test func challengesAreRead() {
        let read = AuthChallenge.parse([
            #"Bearer realm="https://a/t",service="s, \"q\"" , scope="repository:x:pull,push", Basic realm="b""#,
            "Negotiate",
            ", ,", #"=x"#,
        ])
        #expect(
            read == [
                AuthChallenge(
                    scheme: "bearer",
                    parameters: ["realm": "https://a/t", "service": "s, \"q\"", "scope": "repository:x:pull,push"]),
                AuthChallenge(scheme: "basic", parameters: ["realm": "b"]),
                AuthChallenge(scheme: "negotiate", parameters: [:]),
            ])
        var random = Seeded(3)
        for _ in 0..<2000 {
            let pieces = ["Bearer", " ", ",", "=", "\"", "\\", "realm", "é", "\u{0}", "x"]
            let text = (0..<random.below(20)).map { _ in pieces[random.below(pieces.count)] }.joined()
            // Whatever it is, it is read without harm, and nothing is read twice.
            #expect(AuthChallenge.parse([text]) == AuthChallenge.parse([text]))
        }
    }
}
