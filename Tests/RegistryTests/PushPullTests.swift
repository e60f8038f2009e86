import Exchange
import Foundation
import Model
import Registry
import RegistrySupport
import TestSupport
import Testing
import Web

/// Pushes and pulls against a registry that behaves, and that does not.
@Suite(.timeLimit(.minutes(10))) struct PushPullTests {
    /// Does not wait for long between tries.
    static let patience = WebPatience(seconds: 20, connectSeconds: 5, tries: 3, pause: 1, longestPause: 0)

    static func reference(_ registry: FakeRegistry, _ rest: String = "team/fifo") throws(Failure) -> RegistryReference {
        try RegistryReference("\(registry.name)/\(rest)")
    }

    static func push(
        _ artifact: EntryArtifact, to registry: FakeRegistry, _ accounts: RegistryClient.Accounts = .init(),
        tag: String = "1.0.0"
    ) async throws(Failure) -> PushReceipt {
        try await RegistryClient.with(reference(registry), .push, accounts: accounts, patience: patience) {
            client throws(Failure) in try await client.push(artifact, tag: tag)
        }
    }

    static func pull(
        _ registry: FakeRegistry, _ rest: String = "team/fifo:1.0.0", _ accounts: RegistryClient.Accounts = .init(),
        patience: WebPatience = patience
    ) async throws(Failure) -> PulledEntry {
        try await RegistryClient.with(reference(registry, rest), .pull, accounts: accounts, patience: patience) {
            client throws(Failure) in try await client.pull()
        }
    }

    static func failure<R>(_ body: () async throws(Failure) -> R) async -> Failure? {
        do throws(Failure) {
            _ = try await body()
            return nil
        } catch { return error }
    }

    static func sample(_ key: String = "fifo@1.0.0", seed: UInt64 = 1) throws -> EntryArtifact {
        try EntryArtifact(try SampleEntry(key, seed: seed).travelling())
    }

    @Test func whatIsPushedIsPulled() async throws {
        let artifact = try Self.sample()
        try await FakeRegistry.with { registry in
            let receipt = try await Self.push(artifact, to: registry)
            #expect(receipt.digest == artifact.descriptor.digest)
            #expect(receipt.sent == artifact.blobs.count && receipt.blobs == receipt.sent)
            #expect(registry.manifest("1.0.0") == artifact.manifest)
            let methods = registry.requests.map(\.method)
            #expect(methods.last == "PUT" && registry.requests.last?.path == "/v2/team/fifo/manifests/1.0.0")
            // Nothing is sent twice.
            registry.forgetRequests()
            let again = try await Self.push(artifact, to: registry)
            #expect(again.sent == 0)
            #expect(!registry.requests.contains { $0.method == "POST" })
            for rest in ["team/fifo:1.0.0", "team/fifo@\(receipt.digest)", "team/fifo:other@\(receipt.digest)"] {
                let pulled = try await Self.pull(registry, rest)
                #expect(pulled.entry == artifact.entry && pulled.digest == receipt.digest)
            }
            // The config holds nothing, and is not fetched.
            #expect(!registry.requests.contains { $0.method == "GET" && $0.path.contains("44136fa3") })
        }
    }

    @Test func withoutATagTheNewestVersionIsMeant() async throws {
        try await FakeRegistry.with { registry in
            for (key, tag) in [
                ("fifo@1.9.0", "1.9.0"), ("fifo@1.10.0", "1.10.0"), ("fifo@1.2.0", "1.2.0"), ("fifo@9.0.0", "latest"),
                ("fifo@8.0.0", "v99"),
            ] {
                _ = try await Self.push(try Self.sample(key), to: registry, tag: tag)
            }
            #expect(try await Self.pull(registry, "team/fifo").entry.facts.key.description == "fifo@1.10.0")
            registry.forget(tags: ["1.9.0", "1.10.0", "1.2.0"])
            #expect(
                await Self.failure { () throws(Failure) in try await Self.pull(registry, "team/fifo") }?.code
                    == .notFound)
        }
    }

    @Test func aBlobThatIsAnotherIsRefused() async throws {
        let artifact = try Self.sample()
        try await FakeRegistry.with { registry in
            _ = try await Self.push(artifact, to: registry)
            for blob in artifact.blobs.dropFirst() {
                let digest = blob.descriptor.digest.description
                var bytes = blob.bytes
                bytes[bytes.count / 2] ^= 1
                let bad: [(String, [UInt8]?)] = [
                    ("damaged", bytes), ("announced", Array(blob.bytes.dropLast())),
                    ("not be fetched", nil),
                ]
                for (words, bytes) in bad {
                    registry.setBlob(digest, bytes)
                    let failure = await Self.failure { () throws(Failure) in try await Self.pull(registry) }
                    #expect(failure?.message.contains(words) == true, "\(String(describing: failure))")
                }
                registry.setBlob(digest, blob.bytes + [UInt8](repeating: 0, count: 100_000))
                #expect(await Self.failure { () throws(Failure) in try await Self.pull(registry) } != nil)
                registry.setBlob(digest, blob.bytes)
            }
            #expect(try await Self.pull(registry).entry == artifact.entry)
        }
    }

    @Test func aManifestThatIsAnotherIsRefused() async throws {
        let artifact = try Self.sample()
        let other = try Self.sample(seed: 2)
        try await FakeRegistry.with { registry in
            _ = try await Self.push(artifact, to: registry)
            _ = try await Self.push(other, to: registry, tag: "other")
            // Another good one where a digest was asked for.
            registry.react {
                $0.path.contains("manifests/sha256") ? .answer(.init(200, body: other.manifest)) : .ordinary
            }
            let rest = "team/fifo@\(artifact.descriptor.digest)"
            let replaced = await Self.failure { () throws(Failure) in try await Self.pull(registry, rest) }
            #expect(replaced?.message.contains("replaced") == true)
            // One that is not what the registry itself says it is.
            registry.react {
                $0.path.contains("manifests/")
                    ? .changed { answer in
                        var answer = answer
                        answer.body = other.manifest
                        return answer
                    } : .ordinary
            }
            #expect(await Self.failure { () throws(Failure) in try await Self.pull(registry) }?.code == .malformed)
            registry.react { _ in .ordinary }
            for bytes in [[UInt8](), Array("{}".utf8), [UInt8](repeating: 0x5B, count: 60_000)] {
                registry.put(tag: "bad", manifest: bytes)
                #expect(
                    await Self.failure { () throws(Failure) in try await Self.pull(registry, "team/fifo:bad") } != nil)
            }
            registry.put(tag: "huge", manifest: [UInt8](repeating: 0x20, count: 1 << 20))
            let huge = await Self.failure { () throws(Failure) in try await Self.pull(registry, "team/fifo:huge") }
            #expect(huge?.code == .tooMany)
            registry.put(
                tag: "index",
                manifest: Array(#"{"schemaVersion":2,"mediaType":"\#(MediaType.index)","manifests":[]}"#.utf8))
            let index = await Self.failure { () throws(Failure) in try await Self.pull(registry, "team/fifo:index") }
            #expect(index?.message.contains("index of several") == true)
            #expect(
                await Self.failure { () throws(Failure) in try await Self.pull(registry, "team/fifo:none") }?.code
                    == .notFound)
        }
    }

    @Test func anAnswerThatEndsTooEarlyIsNoAnswer() async throws {
        let artifact = try Self.sample()
        try await FakeRegistry.with { registry in
            _ = try await Self.push(artifact, to: registry)
            let object = "blobs/\(artifact.blobs[2].descriptor.digest)"
            let cut: FakeRegistry.Reaction = .changed { answer in
                var answer = answer
                answer.headers.append(("content-length", String(answer.body.count)))
                answer.cutAfter = answer.body.count / 2
                return answer
            }
            // Once is put right by asking again, always is a failure.
            registry.react(times: 1, where: { $0.method == "GET" && $0.path.hasSuffix(object) }, cut)
            #expect(try await Self.pull(registry).entry == artifact.entry)
            registry.react { $0.method == "GET" && $0.path.hasSuffix(object) ? cut : .ordinary }
            #expect(await Self.failure { () throws(Failure) in try await Self.pull(registry) } != nil)
        }
    }

    @Test(arguments: [429, 500, 502, 503, 504]) func whatPassesIsTriedAgainAndNotForever(_ status: Int) async throws {
        let artifact = try Self.sample()
        try await FakeRegistry.with { registry in
            for method in ["HEAD", "POST", "PUT"] {
                registry.react(
                    times: 2, where: { $0.method == method }, .answer(.init(status, headers: [("retry-after", "1000")]))
                )
                _ = try await Self.push(try Self.sample(seed: UInt64(method.count)), to: registry, tag: method)
            }
            registry.react { _ in .ordinary }
            _ = try await Self.push(artifact, to: registry)
            registry.react(times: 2, where: { $0.method == "GET" }, .answer(.init(status)))
            #expect(try await Self.pull(registry).entry == artifact.entry)
            registry.forgetRequests()
            registry.react { _ in .answer(.init(status)) }
            let failure = await Self.failure { () throws(Failure) in try await Self.pull(registry) }
            #expect(failure?.code == .busy)
            #expect(registry.requests.count == Self.patience.tries)
        }
    }

    @Test func whatDoesNotPassIsNotTriedAgain() async throws {
        try await FakeRegistry.with { registry in
            for (status, code) in [(400, Failure.Code.malformed), (403, .denied), (404, .notFound), (413, .tooMany)] {
                registry.forgetRequests()
                let body = Array(#"{"errors":[{"code":"X","message":"no \u001b[31m"}]}"#.utf8)
                registry.react { _ in .answer(.init(status, body: body)) }
                let failure = await Self.failure { () throws(Failure) in try await Self.pull(registry) }
                #expect(failure?.code == code)
                #expect(failure?.message.contains("X: no \\u{1b}") == true, "\(String(describing: failure))")
                #expect(registry.requests.count == 1)
            }
        }
    }

    @Test func aLostAnswerToAnUploadIsMadeUpFor() async throws {
        let artifact = try Self.sample()
        try await FakeRegistry.with { registry in
            // It takes the blob, and says that the upload is gone.
            registry.react(
                times: 1, where: { $0.method == "PUT" && $0.path.contains("uploads") },
                .changed { _ in .init(404) })
            let receipt = try await Self.push(artifact, to: registry)
            #expect(receipt.sent == artifact.blobs.count)
            #expect(try await Self.pull(registry).entry == artifact.entry)
        }
    }

    @Test func aClosedConnectionIsTriedAgainAndThenSaid() async throws {
        try await FakeRegistry.with { registry in
            registry.react { _ in .close }
            let failure = await Self.failure { () throws(Failure) in try await Self.pull(registry) }
            #expect(failure?.code == .notFound)
            #expect(failure?.message.contains(registry.name) == true)
        }
    }

    @Test func aSilentRegistryIsNotWaitedForForever() async throws {
        try await FakeRegistry.with { registry in
            registry.react { _ in .silence }
            let patience = WebPatience(seconds: 1, connectSeconds: 1, tries: 1)
            let failure = await Self.failure { () throws(Failure) in try await Self.pull(registry, patience: patience) }
            #expect(failure?.code == .timedOut)
        }
    }

    @Test func nobodyThereIsSaid() async throws {
        let reference = try RegistryReference("localhost:1/x:y")
        let failure = await Self.failure { () throws(Failure) in
            try await RegistryClient.with(reference, .pull, accounts: .init(), patience: Self.patience) {
                client throws(Failure) in try await client.pull()
            }
        }
        #expect(failure?.message.contains("cannot be reached") == true)
    }
}
