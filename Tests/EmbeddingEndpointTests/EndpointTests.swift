import Embedding
import Foundation
import Model
import RegistrySupport
import TestSupport
import Testing
import Web

@testable import EmbeddingEndpoint

/// A service for embeddings that behaves, and that does not.
@Suite(.timeLimit(.minutes(10))) struct EndpointTests {
    private struct Question: Decodable {
        var input: [String]
        var model: String
    }

    /// What a service says: of each text its bytes, counted by eighths of the alphabet.
    private static func answer(_ request: FakeRegistry.Request, _ change: (inout [[Double]]) -> Void = { _ in })
        -> FakeRegistry.Reaction
    {
        guard let question = try? JSONDecoder().decode(Question.self, from: Data(request.body)) else {
            return .answer(.init(400))
        }
        var vectors = question.input.map { text in
            text.utf8.reduce(into: [Double](repeating: 1, count: 8)) { $0[Int($1) % 8] += 1 }
        }
        change(&vectors)
        // The last one first: their numbers count.
        let data = vectors.enumerated().reversed().map {
            "{\"index\":\($0),\"embedding\":[\($1.map { "\($0)" }.joined(separator: ","))]}"
        }
        return .answer(.init(200, body: Array("{\"data\":[\(data.joined(separator: ","))]}".utf8)))
    }

    private static func with<R>(
        _ service: FakeRegistry, key: String? = nil, _ body: (EndpointEmbedder) async throws(Failure) -> R
    ) async throws(Failure) -> R {
        let settings = try EndpointSettings(url: "http://\(service.name)/v1/", model: "small", key: key)
        return try await WebClient.with(WebPatience(seconds: 20, connectSeconds: 5, tries: 2, pause: 1)) {
            web throws(Failure) in
            try await body(try await EndpointEmbedder(settings, web))
        }
    }

    @Test func eachTextGetsItsVector() async throws {
        try await FakeRegistry.with { service in
            service.react { Self.answer($0) }
            let texts = (0..<200).map { "text \($0) " + String(repeating: "z", count: $0 * 20) }
            let (identity, vectors) = try await Self.with(service, key: "k3y") { embedder throws(Failure) in
                (embedder.identity, try await embedder.vectors(for: texts))
            }
            #expect(identity.dimensions == 8 && identity.digest.count == 64 && identity.name.contains("small"))
            #expect(vectors.count == texts.count)
            for vector in vectors { #expect(abs(vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5) }
            let single = try await Self.with(service) { embedder throws(Failure) in
                try await embedder.vector(for: texts[117])
            }
            #expect(single == vectors[117])
            #expect(service.requests.allSatisfy { $0.method == "POST" && $0.path == "/v1/embeddings" })
            #expect(service.requests.first?.authorization == "Bearer k3y")
            #expect(
                try await Self.with(service) { embedder throws(Failure) in try await embedder.vectors(for: []) } == [])
        }
    }

    @Test func batchesAreBounded() {
        let texts = (0..<150).map { String(repeating: "é", count: $0 * 40) } + [String(repeating: "x", count: 1 << 20)]
        let batches = EndpointEmbedder.batches(texts)
        #expect(batches.flatMap(\.self).count == texts.count)
        for batch in batches {
            #expect((1...64).contains(batch.count))
            #expect(batch.reduce(0) { $0 + $1.utf8.count } <= EndpointEmbedder.batchBytes)
            #expect(batch.allSatisfy { $0.utf8.count <= EndpointEmbedder.textBytes })
        }
    }

    static let changes: [(words: String, change: @Sendable (inout [[Double]]) -> Void)] = [
        ("where 3 were asked for", { _ = $0.popLast() }),
        ("where 3 were asked for", { $0.append($0[0]) }),
        ("components", { $0[1].removeLast() }),
        ("components", { $0[0] = [] }),
        ("no direction", { $0[2] = [Double](repeating: 0, count: 8) }),
        ("no direction", { $0[2][0] = 1e300 }),
    ]

    @Test(arguments: changes.indices) func aBadAnswerIsAFailure(_ index: Int) async throws {
        let (words, change) = Self.changes[index]
        try await FakeRegistry.with { service in
            service.react { request in
                request.body.count < 100 ? Self.answer(request) : Self.answer(request, change)
            }
            do {
                _ = try await Self.with(service) { embedder throws(Failure) in
                    try await embedder.vectors(for: ["a", "b", String(repeating: "c", count: 100)])
                }
                Issue.record("it was taken")
            } catch { #expect((error as? Failure)?.message.contains(words) == true, "\(error)") }
        }
    }

    @Test func whatTheServiceRefusesIsSaid() async throws {
        try await FakeRegistry.with { service in
            for (status, code) in [
                (401, Failure.Code.denied), (404, .malformed), (429, .busy), (500, .busy), (200, .malformed),
            ] {
                service.react { _ in .answer(.init(status, body: Array("no\u{1B}".utf8))) }
                do {
                    _ = try await Self.with(service) { embedder throws(Failure) in embedder.identity }
                    Issue.record("it was taken")
                } catch { #expect((error as? Failure)?.code == code, "\(error)") }
            }
            // More than any answer has.
            service.react { _ in .answer(.init(200, body: [UInt8](repeating: 0x20, count: 1 << 20))) }
            do {
                _ = try await Self.with(service) { embedder throws(Failure) in embedder.identity }
                Issue.record("it was taken")
            } catch { #expect((error as? Failure)?.code == .tooMany) }
        }
    }

    @Test func theEnvironmentNamesTheService() throws {
        let folder = try TemporaryFolder()
        #expect(try EndpointSettings.read([:]) == nil)
        let url = ["SCHEDCP_EMBEDDINGS_URL": "https://models.example/v1"]
        #expect(throws: Failure.self) { try EndpointSettings.read(url) }
        let named = url.merging(["SCHEDCP_EMBEDDINGS_MODEL": "m"]) { $1 }
        let read = try EndpointSettings.read(named)
        #expect(read?.address.text == "https://models.example/v1/embeddings" && read?.model == "m" && read?.key == nil)
        let key = try folder.write("s3cret\n", to: "key")
        #expect(try EndpointSettings.read(named.merging(["SCHEDCP_EMBEDDINGS_KEY_FILE": key]) { $1 })?.key == "s3cret")
        for bad in ["a b\n", String(repeating: "k", count: 5000)] {
            let key = try folder.write(bad, to: "key")
            #expect(throws: Failure.self) {
                try EndpointSettings.read(named.merging(["SCHEDCP_EMBEDDINGS_KEY_FILE": key]) { $1 })
            }
        }
        #expect(throws: Failure.self) {
            try EndpointSettings.read(named.merging(["SCHEDCP_EMBEDDINGS_KEY_FILE": folder.path("none")]) { $1 })
        }
        #expect(throws: Failure.self) { try EndpointSettings(url: "ftp://x/", model: "m") }
    }
}
